//! Credit control: CCR and CCA with what is in them.

use simurgh_vocab::Timestamp;

use crate::avp::Avp;
use crate::base::TerminationCause;
use crate::charging::{
    AocRequestType, EnvelopeReporting, LowBalanceIndication, PsFurnishChargingInformation,
    RemainingBalance, ReportingReason, ServiceInformation, TimeQuotaMechanism, Trigger,
};
use crate::fault::{Fault, ResultCode};
use crate::value::{Private, Repeated};

enumerated! {
    /// Where in a session a request is.
    ///
    /// Source: RFC 8506 §8.3
    pub closed CcRequestType { Initial = 1, Update = 2, Termination = 3, Event = 4, }
}

enumerated! {
    /// What a one-time event asks for.
    ///
    /// Source: RFC 8506 §8.41
    pub closed RequestedAction {
        DirectDebiting = 0, RefundAccount = 1, CheckBalance = 2, PriceEnquiry = 3,
    }
}

enumerated! {
    /// What kind of name a subscription has.
    ///
    /// Source: RFC 8506 §8.47
    pub closed SubscriptionIdType { E164 = 0, Imsi = 1, SipUri = 2, Nai = 3, Private = 4, }
}

enumerated! {
    /// Whether a client asks for several services in one request.
    ///
    /// Source: RFC 8506 §8.40
    pub closed MultipleServicesIndicator { NotSupported = 0, Supported = 1, }
}

enumerated! {
    /// On which side of a change of tariff units were used.
    ///
    /// Source: RFC 8506 §8.27
    pub closed TariffChangeUsage { Before = 0, After = 1, Indeterminate = 2, }
}

enumerated! {
    /// What happens when the last units are used up.
    ///
    /// Source: RFC 8506 §8.35
    pub closed FinalUnitAction { Terminate = 0, Redirect = 1, RestrictAccess = 2, }
}

enumerated! {
    /// How the server that users are redirected to is named.
    ///
    /// Source: RFC 8506 §8.38
    pub closed RedirectAddressType { Ipv4 = 0, Ipv6 = 1, Url = 2, SipUri = 3, }
}

enumerated! {
    /// Whether a request may go to another server when one fails within a session.
    ///
    /// Source: RFC 8506 §8.4
    pub closed CcSessionFailover { NotSupported = 0, Supported = 1, }
}

enumerated! {
    /// What a client does without an answer.
    ///
    /// Source: RFC 8506 §8.14
    pub closed CreditControlFailureHandling { Terminate = 0, Continue = 1, RetryAndTerminate = 2, }
}

enumerated! {
    /// What a client does with a direct debit without an answer.
    ///
    /// Source: RFC 8506 §8.15
    pub closed DirectDebitingFailureHandling { TerminateOrBuffer = 0, Continue = 1, }
}

enumerated! {
    /// Whether there is enough for a service.
    ///
    /// Source: RFC 8506 §8.6
    pub closed CheckBalanceResult { EnoughCredit = 0, NoCredit = 1, }
}

enumerated! {
    /// How a device is named.
    ///
    /// Source: RFC 8506 §8.50
    pub open UserEquipmentInfoType { ImeiSv = 0, Mac = 1, Eui64 = 2, ModifiedEui64 = 3, }
}

enumerated! {
    /// What a pool counts.
    ///
    /// Source: RFC 8506 §8.32
    pub open CcUnitType {
        Time = 0, Money = 1, TotalOctets = 2, InputOctets = 3, OutputOctets = 4, ServiceSpecificUnits = 5,
    }
}

group! {
    /// A decimal number: digits times ten to the exponent.
    ///
    /// Source: RFC 8506 §8.8
    pub struct UnitValue: Closed {
        one value_digits: i64 = VALUE_DIGITS,
        opt exponent: i32 = EXPONENT,
    }
}

group! {
    /// An amount of money; the currency is a number of ISO 4217.
    ///
    /// Source: RFC 8506 §8.22
    pub struct CcMoney: Closed {
        one unit_value: UnitValue = UNIT_VALUE,
        opt currency_code: u32 = CURRENCY_CODE,
    }
}

group! {
    /// What a service costs, as an answer to a price enquiry.
    ///
    /// Source: RFC 8506 §8.7
    pub struct CostInformation<'a>: Closed {
        one unit_value: UnitValue = UNIT_VALUE,
        one currency_code: u32 = CURRENCY_CODE,
        opt cost_unit: &'a str = COST_UNIT,
    }
}

group! {
    /// Units that a client asks for. Empty: the server decides how many, and of what.
    ///
    /// Source: RFC 8506 §8.18
    pub struct RequestedServiceUnit: Open {
        opt time_seconds: u32 = CC_TIME,
        opt money: CcMoney = CC_MONEY,
        opt total_octets: u64 = CC_TOTAL_OCTETS,
        opt input_octets: u64 = CC_INPUT_OCTETS,
        opt output_octets: u64 = CC_OUTPUT_OCTETS,
        opt service_specific_units: u64 = CC_SERVICE_SPECIFIC_UNITS,
    }
}

group! {
    /// Units that a client may use.
    ///
    /// Source: RFC 8506 §8.17
    pub struct GrantedServiceUnit: Open {
        opt tariff_time_change: Timestamp = TARIFF_TIME_CHANGE,
        opt time_seconds: u32 = CC_TIME,
        opt money: CcMoney = CC_MONEY,
        opt total_octets: u64 = CC_TOTAL_OCTETS,
        opt input_octets: u64 = CC_INPUT_OCTETS,
        opt output_octets: u64 = CC_OUTPUT_OCTETS,
        opt service_specific_units: u64 = CC_SERVICE_SPECIFIC_UNITS,
    }
}

group! {
    /// Units that were used since the last report.
    ///
    /// Source: RFC 8506 §8.19, 3GPP TS 32.299 §7.2
    pub struct UsedServiceUnit<'a>: Open {
        opt reporting_reason: ReportingReason = TGPP_REPORTING_REASON,
        opt tariff_change_usage: TariffChangeUsage = TARIFF_CHANGE_USAGE,
        opt time_seconds: u32 = CC_TIME,
        opt money: CcMoney = CC_MONEY,
        opt total_octets: u64 = CC_TOTAL_OCTETS,
        opt input_octets: u64 = CC_INPUT_OCTETS,
        opt output_octets: u64 = CC_OUTPUT_OCTETS,
        opt service_specific_units: u64 = CC_SERVICE_SPECIFIC_UNITS,
        many event_charging_timestamp: Timestamp = EVENT_CHARGING_TIMESTAMP,
    }
}

group! {
    /// A pool of units that several services draw on.
    ///
    /// Source: RFC 8506 §8.30
    pub struct GSUPoolReference: Closed {
        one g_s_u_pool_identifier: u32 = G_S_U_POOL_IDENTIFIER,
        one cc_unit_type: CcUnitType = CC_UNIT_TYPE,
        one unit_value: UnitValue = UNIT_VALUE,
    }
}

group! {
    /// Where users are led to.
    ///
    /// Source: RFC 8506 §8.37
    pub struct RedirectServer<'a>: Closed {
        one redirect_address_type: RedirectAddressType = REDIRECT_ADDRESS_TYPE,
        one redirect_server_address: &'a str = REDIRECT_SERVER_ADDRESS,
    }
}

group! {
    /// These units are the last.
    ///
    /// Source: RFC 8506 §8.34
    pub struct FinalUnitIndication<'a>: Open {
        one final_unit_action: FinalUnitAction = FINAL_UNIT_ACTION,
        many restriction_filter_rule: &'a str = RESTRICTION_FILTER_RULE,
        many filter_id: &'a str = FILTER_ID,
        opt redirect_server: RedirectServer<'a> = REDIRECT_SERVER,
    }
}

group! {
    /// The same, for clients that announced it: the rules and where to lead users, with more kinds of both.
    ///
    /// Source: RFC 8506 §8.68
    pub struct QosFinalUnitIndication<'a>: Open {
        one final_unit_action: FinalUnitAction = FINAL_UNIT_ACTION,
        many filter_rule: Avp<'a> = FILTER_RULE,
        many filter_id: &'a str = FILTER_ID,
        opt redirect_server_extension: Avp<'a> = REDIRECT_SERVER_EXTENSION,
    }
}

group! {
    /// Something about a service that rating may depend on.
    ///
    /// Source: RFC 8506 §8.43
    pub struct ServiceParameterInfo<'a>: Closed {
        one service_parameter_type: u32 = SERVICE_PARAMETER_TYPE,
        one service_parameter_value: &'a [u8] = SERVICE_PARAMETER_VALUE,
    }
}

group! {
    /// Whose session it is.
    ///
    /// Source: RFC 8506 §8.46
    pub struct SubscriptionId<'a>: Closed {
        one subscription_id_type: SubscriptionIdType = SUBSCRIPTION_ID_TYPE,
        one subscription_id_data: Private<&'a str> = SUBSCRIPTION_ID_DATA,
    }
}

group! {
    /// Which device it is.
    ///
    /// Source: RFC 8506 §8.49
    pub struct UserEquipmentInfo<'a>: Closed {
        one user_equipment_info_type: UserEquipmentInfoType = USER_EQUIPMENT_INFO_TYPE,
        one user_equipment_info_value: Private<&'a [u8]> = USER_EQUIPMENT_INFO_VALUE,
    }
}

group! {
    /// One service, or one rating group, or (without both) all there is, in a request or an answer.
    ///
    /// Source: RFC 8506 §8.16, 3GPP TS 32.299 §6.4.2, §6.4.3
    pub struct MultipleServicesCreditControl<'a>: Open {
        opt granted_service_unit: GrantedServiceUnit = GRANTED_SERVICE_UNIT,
        opt requested_service_unit: RequestedServiceUnit = REQUESTED_SERVICE_UNIT,
        many used_service_unit: UsedServiceUnit<'a> = USED_SERVICE_UNIT,
        opt tariff_change_usage: TariffChangeUsage = TARIFF_CHANGE_USAGE,
        many service_identifier: u32 = SERVICE_IDENTIFIER,
        opt rating_group: u32 = RATING_GROUP,
        many g_s_u_pool_reference: GSUPoolReference = G_S_U_POOL_REFERENCE,
        opt validity_time_seconds: u32 = VALIDITY_TIME,
        opt result_code: ResultCode = RESULT_CODE,
        opt final_unit_indication: FinalUnitIndication<'a> = FINAL_UNIT_INDICATION,
        opt qos_final_unit_indication: QosFinalUnitIndication<'a> = QOS_FINAL_UNIT_INDICATION,
        opt time_quota_threshold_seconds: u32 = TIME_QUOTA_THRESHOLD,
        opt volume_quota_threshold_octets: u32 = VOLUME_QUOTA_THRESHOLD,
        opt unit_quota_threshold: u32 = UNIT_QUOTA_THRESHOLD,
        opt quota_holding_time_seconds: u32 = QUOTA_HOLDING_TIME,
        opt quota_consumption_time_seconds: u32 = QUOTA_CONSUMPTION_TIME,
        many reporting_reason: ReportingReason = TGPP_REPORTING_REASON,
        opt trigger: Trigger<'a> = TRIGGER,
        opt ps_furnish_charging_information: PsFurnishChargingInformation<'a> = PS_FURNISH_CHARGING_INFORMATION,
        opt refund_information: &'a [u8] = REFUND_INFORMATION,
        opt envelope_reporting: EnvelopeReporting = ENVELOPE_REPORTING,
        opt time_quota_mechanism: TimeQuotaMechanism = TIME_QUOTA_MECHANISM,
    }
}

group! {
    /// CCR: before, during and after a session, or for a single event.
    ///
    /// Source: RFC 8506 §3.1, 3GPP TS 32.299 §6.4.2
    pub struct CreditControlRequest<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one destination_realm: &'a str = DESTINATION_REALM,
        one auth_application_id: u32 = AUTH_APPLICATION_ID,
        one service_context_id: &'a str = SERVICE_CONTEXT_ID,
        one cc_request_type: CcRequestType = CC_REQUEST_TYPE,
        one cc_request_number: u32 = CC_REQUEST_NUMBER,
        opt destination_host: &'a str = DESTINATION_HOST,
        opt user_name: Private<&'a str> = USER_NAME,
        opt cc_sub_session_id: u64 = CC_SUB_SESSION_ID,
        opt accounting_multi_session_id: &'a str = ACCOUNTING_MULTI_SESSION_ID,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt event_timestamp: Timestamp = EVENT_TIMESTAMP,
        many subscription_id: SubscriptionId<'a> = SUBSCRIPTION_ID,
        opt service_identifier: u32 = SERVICE_IDENTIFIER,
        opt termination_cause: TerminationCause = TERMINATION_CAUSE,
        opt requested_service_unit: RequestedServiceUnit = REQUESTED_SERVICE_UNIT,
        opt requested_action: RequestedAction = REQUESTED_ACTION,
        many used_service_unit: UsedServiceUnit<'a> = USED_SERVICE_UNIT,
        opt multiple_services_indicator: MultipleServicesIndicator = MULTIPLE_SERVICES_INDICATOR,
        many multiple_services_credit_control: MultipleServicesCreditControl<'a> = MULTIPLE_SERVICES_CREDIT_CONTROL,
        many service_parameter_info: ServiceParameterInfo<'a> = SERVICE_PARAMETER_INFO,
        opt cc_correlation_id: &'a [u8] = CC_CORRELATION_ID,
        opt user_equipment_info: UserEquipmentInfo<'a> = USER_EQUIPMENT_INFO,
        many proxy_info: Avp<'a> = PROXY_INFO,
        many route_record: &'a str = ROUTE_RECORD,
        opt aoc_request_type: AocRequestType = AOC_REQUEST_TYPE,
        opt service_information: ServiceInformation<'a> = SERVICE_INFORMATION,
    }
}
command!(CreditControlRequest<'a> = 272 request of CREDIT_CONTROL, proxiable);

impl<'a> CreditControlRequest<'a> {
    /// What the AVPs must be to each other, which no grammar says: an event says what it asks for, and
    /// nothing else does; a cause of termination comes with a termination.
    ///
    /// # Errors
    /// `DIAMETER_MISSING_AVP` or `DIAMETER_CONTRADICTING_AVPS`.
    ///
    /// Source: RFC 8506 §5.1.1, §6, §8.41
    pub const fn check(&self) -> Result<(), Fault<'a>> {
        match (self.cc_request_type, self.requested_action) {
            (CcRequestType::Event, None) => {
                Err(Fault::missing(&crate::dictionary::REQUESTED_ACTION))
            }
            (
                CcRequestType::Initial | CcRequestType::Update | CcRequestType::Termination,
                Some(_),
            ) => Err(Fault::bare(ResultCode::CONTRADICTING_AVPS)),
            (
                CcRequestType::Initial
                | CcRequestType::Update
                | CcRequestType::Termination
                | CcRequestType::Event,
                _,
            ) => Ok(()),
        }
    }
}

group! {
    /// CCA.
    ///
    /// Source: RFC 8506 §3.2, 3GPP TS 32.299 §6.4.3
    pub struct CreditControlAnswer<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one auth_application_id: u32 = AUTH_APPLICATION_ID,
        one cc_request_type: CcRequestType = CC_REQUEST_TYPE,
        one cc_request_number: u32 = CC_REQUEST_NUMBER,
        opt user_name: Private<&'a str> = USER_NAME,
        opt cc_session_failover: CcSessionFailover = CC_SESSION_FAILOVER,
        opt cc_sub_session_id: u64 = CC_SUB_SESSION_ID,
        opt accounting_multi_session_id: &'a str = ACCOUNTING_MULTI_SESSION_ID,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt event_timestamp: Timestamp = EVENT_TIMESTAMP,
        opt granted_service_unit: GrantedServiceUnit = GRANTED_SERVICE_UNIT,
        many multiple_services_credit_control: MultipleServicesCreditControl<'a> = MULTIPLE_SERVICES_CREDIT_CONTROL,
        opt cost_information: CostInformation<'a> = COST_INFORMATION,
        opt final_unit_indication: FinalUnitIndication<'a> = FINAL_UNIT_INDICATION,
        opt qos_final_unit_indication: QosFinalUnitIndication<'a> = QOS_FINAL_UNIT_INDICATION,
        opt check_balance_result: CheckBalanceResult = CHECK_BALANCE_RESULT,
        opt credit_control_failure_handling: CreditControlFailureHandling = CREDIT_CONTROL_FAILURE_HANDLING,
        opt direct_debiting_failure_handling: DirectDebitingFailureHandling = DIRECT_DEBITING_FAILURE_HANDLING,
        opt validity_time_seconds: u32 = VALIDITY_TIME,
        many redirect_host: &'a str = REDIRECT_HOST,
        opt error_message: &'a str = ERROR_MESSAGE,
        many proxy_info: Avp<'a> = PROXY_INFO,
        many route_record: &'a str = ROUTE_RECORD,
        many failed_avp: Avp<'a> = FAILED_AVP,
        opt low_balance_indication: LowBalanceIndication = LOW_BALANCE_INDICATION,
        opt remaining_balance: RemainingBalance = REMAINING_BALANCE,
        opt service_information: ServiceInformation<'a> = SERVICE_INFORMATION,
    }
}
command!(CreditControlAnswer<'a> = 272 answer of CREDIT_CONTROL, proxiable);

impl<'a> CreditControlAnswer<'a> {
    /// The answer to a request, with what has to be the same in both, and Proxy-Info in order.
    ///
    /// Source: RFC 6733 §6.2, RFC 8506 §3.2
    #[must_use]
    pub fn to(
        request: &CreditControlRequest<'a>,
        origin: crate::message::Origin<'a>,
        result_code: ResultCode,
    ) -> Self {
        Self {
            session_id: request.session_id,
            result_code,
            origin_host: origin.host,
            origin_realm: origin.realm,
            auth_application_id: request.auth_application_id,
            cc_request_type: request.cc_request_type,
            cc_request_number: request.cc_request_number,
            cc_sub_session_id: request.cc_sub_session_id,
            proxy_info: request.proxy_info,
            ..Self::default()
        }
    }
}

/// Several services, as a message holds them.
pub type Services<'a> = Repeated<'a, MultipleServicesCreditControl<'a>>;

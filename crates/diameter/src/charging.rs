//! What 3GPP adds to credit control: reasons and triggers, and Service-Information with what packet, IMS
//! and SMS nodes say about a session.

use simurgh_vocab::Timestamp;

use crate::avp::Avp;
use crate::credit_control::{SubscriptionId, UnitValue, UserEquipmentInfo};
use crate::value::{Address, Private};

enumerated! {
    /// Why a client reports.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open ReportingReason {
        Threshold = 0, QuotaHoldingTime = 1, Final = 2, QuotaExhausted = 3, ValidityTime = 4,
        OtherQuotaType = 5, RatingConditionChange = 6, ForcedReauthorisation = 7, PoolExhausted = 8,
        UnusedQuotaTimer = 9,
    }
}

enumerated! {
    /// What change makes a client ask again.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open TriggerType {
        ChangeInSgsnIpAddress = 1, ChangeInQos = 2, ChangeInLocation = 3, ChangeInRat = 4,
        ChangeInUeTimezone = 5, ChangeInLocationMcc = 30, ChangeInLocationMnc = 31,
        ChangeInLocationRac = 32, ChangeInLocationLac = 33, ChangeInLocationCellId = 34,
        ChangeInLocationTac = 35, ChangeInLocationEcgi = 36,
    }
}

enumerated! {
    /// What advice of charge is asked for.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open AocRequestType {
        NotRequested = 0, Full = 1, CostOnly = 2, TariffOnly = 3,
    }
}

enumerated! {
    /// Whether the balance is low after this request.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub closed LowBalanceIndication { NotApplicable = 0, Yes = 1, }
}

enumerated! {
    /// Whether envelopes of use are reported.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open EnvelopeReporting {
        Not = 0, Envelopes = 1, WithVolume = 2, WithEvents = 3, WithVolumeAndEvents = 4,
    }
}

enumerated! {
    /// How time is counted while a quota of time runs.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open TimeQuotaType { DiscreteTimePeriod = 0, ContinuousTimePeriod = 1, }
}

enumerated! {
    /// What kind of bearer there is.
    ///
    /// Source: 3GPP TS 29.061 §16.4.7.2
    pub open PdpType { Ipv4 = 0, Ppp = 1, Ipv6 = 2, Ipv4v6 = 3, NonIp = 4, Unstructured = 5, Ethernet = 6, }
}

enumerated! {
    /// What kind of node serves the device.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open ServingNodeType {
        Sgsn = 0, PmipSgw = 1, GtpSgw = 2, EpdG = 3, Hsgw = 4, Mme = 5, Twan = 6,
    }
}

enumerated! {
    /// Which side of a call a node serves.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open RoleOfNode { Originating = 0, Terminating = 1, Forwarding = 2, }
}

enumerated! {
    /// What an IMS node does.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open NodeFunctionality {
        SCscf = 0, PCscf = 1, ICscf = 2, Mrfc = 3, Mgcf = 4, Bgcf = 5, As = 6, Ibcf = 7, SGw = 8,
        PGw = 9, Hsgw = 10, ECscf = 11, Mme = 12, Trf = 13, Tf = 14, Atcf = 15, Proxy = 16,
    }
}

enumerated! {
    /// What a short message is.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open SmMessageType { Submission = 0, DeliveryReport = 1, ServiceRequest = 2, Delivery = 3, }
}

enumerated! {
    /// Which part of the short message service charges.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open SmsNode { Router = 0, IpSmGw = 1, RouterAndIpSmGw = 2, SmsSc = 3, }
}

enumerated! {
    /// What kind of address a party of a message has.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub open AddressType {
        EmailAddress = 0, Msisdn = 1, Ipv4Address = 2, Ipv6Address = 3, NumericShortcode = 4,
        AlphanumericShortcode = 5, Other_ = 6, Imsi = 7,
    }
}

group! {
    /// Which changes make a client ask again; none at all turns them off.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct Trigger<'a>: Open {
        many trigger_type: TriggerType = TRIGGER_TYPE,
    }
}

group! {
    /// How a quota of time is consumed.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct TimeQuotaMechanism: Open {
        one time_quota_type: TimeQuotaType = TIME_QUOTA_TYPE,
        one base_time_interval_seconds: u32 = BASE_TIME_INTERVAL,
    }
}

group! {
    /// What is left on an account.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct RemainingBalance: Open {
        one unit_value: UnitValue = UNIT_VALUE,
        one currency_code: u32 = CURRENCY_CODE,
    }
}

group! {
    /// Free text for the charging records of a gateway.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct PsFurnishChargingInformation<'a>: Open {
        one tgpp_charging_id: &'a [u8] = TGPP_CHARGING_ID,
        one ps_free_format_data: &'a [u8] = PS_FREE_FORMAT_DATA,
        opt ps_append_free_format_data: u32 = PS_APPEND_FREE_FORMAT_DATA,
    }
}

group! {
    /// What the service is, and where and how it is used.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct ServiceInformation<'a>: Open {
        many subscription_id: SubscriptionId<'a> = SUBSCRIPTION_ID,
        opt aoc_information: Avp<'a> = AOC_INFORMATION,
        opt ps_information: PsInformation<'a> = PS_INFORMATION,
        opt ims_information: ImsInformation<'a> = IMS_INFORMATION,
        opt mms_information: Avp<'a> = MMS_INFORMATION,
        opt sms_information: SmsInformation<'a> = SMS_INFORMATION,
    }
}

group! {
    /// What a packet gateway says.
    ///
    /// Source: 3GPP TS 32.299 §7.2, TS 32.251
    pub struct PsInformation<'a>: Open {
        opt tgpp_charging_id: &'a [u8] = TGPP_CHARGING_ID,
        opt pdn_connection_charging_id: u32 = PDN_CONNECTION_CHARGING_ID,
        opt node_id: &'a str = NODE_ID,
        opt tgpp_pdp_type: PdpType = TGPP_PDP_TYPE,
        many pdp_address: Private<Address<'a>> = PDP_ADDRESS,
        opt pdp_address_prefix_length: u32 = PDP_ADDRESS_PREFIX_LENGTH,
        opt dynamic_address_flag: u32 = DYNAMIC_ADDRESS_FLAG,
        opt qos_information: Avp<'a> = QOS_INFORMATION,
        many sgsn_address: Address<'a> = SGSN_ADDRESS,
        many ggsn_address: Address<'a> = GGSN_ADDRESS,
        many cg_address: Address<'a> = CG_ADDRESS,
        opt serving_node_type: ServingNodeType = SERVING_NODE_TYPE,
        opt tgpp_imsi_mcc_mnc: &'a str = TGPP_IMSI_MCC_MNC,
        opt tgpp_ggsn_mcc_mnc: &'a str = TGPP_GGSN_MCC_MNC,
        opt tgpp_nsapi: &'a [u8] = TGPP_NSAPI,
        opt called_station_id: &'a str = CALLED_STATION_ID,
        opt tgpp_session_stop_indicator: Avp<'a> = TGPP_SESSION_STOP_INDICATOR,
        opt tgpp_selection_mode: &'a str = TGPP_SELECTION_MODE,
        opt tgpp_charging_characteristics: &'a str = TGPP_CHARGING_CHARACTERISTICS,
        opt tgpp_sgsn_mcc_mnc: &'a str = TGPP_SGSN_MCC_MNC,
        opt tgpp_ms_timezone: &'a [u8] = TGPP_MS_TIMEZONE,
        opt charging_rule_base_name: &'a str = CHARGING_RULE_BASE_NAME,
        opt tgpp_user_location_info: Private<&'a [u8]> = TGPP_USER_LOCATION_INFO,
        opt user_equipment_info: UserEquipmentInfo<'a> = USER_EQUIPMENT_INFO,
        opt tgpp_rat_type: &'a [u8] = TGPP_RAT_TYPE,
        opt ps_furnish_charging_information: PsFurnishChargingInformation<'a> = PS_FURNISH_CHARGING_INFORMATION,
        opt start_time: Timestamp = START_TIME,
        opt stop_time: Timestamp = STOP_TIME,
    }
}

group! {
    /// What happened in a SIP dialogue.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct EventType<'a>: Open {
        opt sip_method: &'a str = TGPP_SIP_METHOD,
        opt event: &'a str = EVENT,
        opt expires_seconds: u32 = EXPIRES,
    }
}

group! {
    /// When a SIP request came and was answered.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct TimeStamps: Open {
        opt sip_request_timestamp: Timestamp = SIP_REQUEST_TIMESTAMP,
        opt sip_response_timestamp: Timestamp = SIP_RESPONSE_TIMESTAMP,
    }
}

group! {
    /// Which operators a call comes from and goes to.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct InterOperatorIdentifier<'a>: Open {
        opt originating_ioi: &'a str = ORIGINATING_IOI,
        opt terminating_ioi: &'a str = TERMINATING_IOI,
    }
}

group! {
    /// What a telephony server says.
    ///
    /// Source: 3GPP TS 32.299 §7.2, TS 32.260
    pub struct ImsInformation<'a>: Open {
        opt event_type: EventType<'a> = EVENT_TYPE,
        opt role_of_node: RoleOfNode = ROLE_OF_NODE,
        one node_functionality: NodeFunctionality = NODE_FUNCTIONALITY,
        opt user_session_id: &'a str = USER_SESSION_ID,
        many calling_party_address: Private<&'a str> = CALLING_PARTY_ADDRESS,
        opt called_party_address: Private<&'a str> = CALLED_PARTY_ADDRESS,
        many called_asserted_identity: Private<&'a str> = CALLED_ASSERTED_IDENTITY,
        opt requested_party_address: Private<&'a str> = REQUESTED_PARTY_ADDRESS,
        opt time_stamps: TimeStamps = TIME_STAMPS,
        many inter_operator_identifier: InterOperatorIdentifier<'a> = INTER_OPERATOR_IDENTIFIER,
        opt ims_charging_identifier: &'a str = IMS_CHARGING_IDENTIFIER,
        opt cause_code: i32 = CAUSE_CODE,
        many access_network_information: Private<&'a [u8]> = ACCESS_NETWORK_INFORMATION,
    }
}

group! {
    /// An address of a party of a message.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct RecipientAddress<'a>: Open {
        opt address_type: AddressType = ADDRESS_TYPE,
        opt address_data: Private<&'a str> = ADDRESS_DATA,
    }
}

group! {
    /// Who gets a message.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct RecipientInfo<'a>: Open {
        many recipient_address: RecipientAddress<'a> = RECIPIENT_ADDRESS,
        many recipient_received_address: RecipientAddress<'a> = RECIPIENT_RECEIVED_ADDRESS,
    }
}

group! {
    /// Who sends a message.
    ///
    /// Source: 3GPP TS 32.299 §7.2
    pub struct OriginatorReceivedAddress<'a>: Open {
        opt address_type: AddressType = ADDRESS_TYPE,
        opt address_data: Private<&'a str> = ADDRESS_DATA,
    }
}

group! {
    /// What a short message centre says.
    ///
    /// Source: 3GPP TS 32.299 §7.2, TS 32.274
    pub struct SmsInformation<'a>: Open {
        opt sms_node: SmsNode = SMS_NODE,
        opt client_address: Address<'a> = CLIENT_ADDRESS,
        opt originator_sccp_address: Address<'a> = ORIGINATOR_SCCP_ADDRESS,
        opt smsc_address: Address<'a> = SMSC_ADDRESS,
        opt sm_message_type: SmMessageType = SM_MESSAGE_TYPE,
        opt sm_discharge_time: Timestamp = SM_DISCHARGE_TIME,
        opt number_of_messages_sent: u32 = NUMBER_OF_MESSAGES_SENT,
        many recipient_info: RecipientInfo<'a> = RECIPIENT_INFO,
        opt originator_received_address: OriginatorReceivedAddress<'a> = ORIGINATOR_RECEIVED_ADDRESS,
    }
}

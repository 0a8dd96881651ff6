//! From a Credit-Control-Request to what charging understands, and back.

use std::sync::Arc;

use simurgh_app::charge::UseRequest;
use simurgh_app::ports::Subscriber;
use simurgh_charging::{
    Answer, Asked, CommandResult, Phase, Quota, ServiceKey, ServiceReport, ServiceResult,
};
use simurgh_diameter::credit_control::{
    CcRequestType, CcSessionFailover, CheckBalanceResult, CreditControlAnswer,
    CreditControlFailureHandling, CreditControlRequest, FinalUnitAction, FinalUnitIndication,
    GrantedServiceUnit, MultipleServicesCreditControl, RedirectAddressType, RedirectServer,
    RequestedAction, RequestedServiceUnit, SubscriptionId, SubscriptionIdType, UsedServiceUnit,
};
use simurgh_diameter::encode::TooLong;
use simurgh_diameter::frame::Header;
use simurgh_diameter::location::Plmn;
use simurgh_diameter::message::{Origin, encode_as};
use simurgh_diameter::{Fault, Repeated, ResultCode};
use simurgh_vocab::{CountryCode, Unit};

use crate::country::country_of;
use crate::settings::{AtTheEnd, LimitTold};

/// The most octets of a Session-Id. RFC 6733 sets none; clients use 40 to 120.
const SESSION_OCTETS_MAX: usize = 255;
/// The most services in one request.
const SERVICES_MAX: usize = 64;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To be charged.
    Charge(UseRequest),
    /// To know whether there is enough.
    CheckBalance(UseRequest),
}

/// Reads a request.
///
/// # Errors
/// The fault that its answer names.
pub(crate) fn request<'a>(ccr: &CreditControlRequest<'a>) -> Result<Wish, Fault<'a>> {
    ccr.check()?;
    if ccr.session_id.is_empty() || ccr.session_id.len() > SESSION_OCTETS_MAX {
        return Err(Fault::bare(ResultCode::INVALID_AVP_VALUE));
    }
    let unit = unit_of(ccr.service_context_id).ok_or(Fault::bare(ResultCode::RATING_FAILED))?;
    let phase = match ccr.cc_request_type {
        CcRequestType::Initial => Phase::Initial,
        CcRequestType::Update => Phase::Update,
        CcRequestType::Termination => Phase::Terminate,
        CcRequestType::Event => Phase::Event,
    };
    let request = UseRequest {
        session: session_name(ccr),
        subscriber: subscribers(ccr),
        number: ccr.cc_request_number,
        phase,
        unit,
        country: country(ccr),
        client: ccr.origin_host.into(),
        realm: ccr.origin_realm.into(),
        services: services(ccr, unit)?,
    };
    match ccr.requested_action {
        None | Some(RequestedAction::DirectDebiting) => Ok(Wish::Charge(request)),
        Some(RequestedAction::CheckBalance) => Ok(Wish::CheckBalance(request)),
        // Nothing is priced in money, and what was debited is given back by staff with its reason.
        Some(RequestedAction::RefundAccount | RequestedAction::PriceEnquiry) => {
            Err(Fault::bare(ResultCode::RATING_FAILED))
        }
    }
}

/// Stands between the names of a session and a sub-session: no client writes it.
const SUB_SESSION: char = '\u{1f}';

/// The session and the sub-session that [`session_name`] put together.
pub(crate) fn session_parts(name: &str) -> (&str, Option<u64>) {
    match name.split_once(SUB_SESSION) {
        Some((session, sub)) => (session, sub.parse().ok()),
        None => (name, None),
    }
}

/// A sub-session is a session of its own. Source: `RFC 8506 §8.5` (CC-Sub-Session-Id).
fn session_name(ccr: &CreditControlRequest<'_>) -> Arc<str> {
    match ccr.cc_sub_session_id {
        Some(sub) => format!("{}{SUB_SESSION}{sub}", ccr.session_id).into(),
        None => ccr.session_id.into(),
    }
}

/// What a service counts, by the end of its context: `32251@3gpp.org` for packets, `32260@` for calls,
/// `32274@` for short messages; releases and extensions may stand before it.
///
/// Source: `3GPP TS 32.299 §7.1.12` (Service-Context-Id).
fn unit_of(context: &str) -> Option<Unit> {
    let (document, _) = context.split_once('@')?;
    match document.rsplit('.').next()? {
        "32251" | "32255" => Some(Unit::Octets),
        "32260" | "32276" => Some(Unit::Seconds),
        "32274" => Some(Unit::Messages),
        _ => None,
    }
}

fn subscribers(ccr: &CreditControlRequest<'_>) -> Vec<Subscriber> {
    let of_service = ccr.service_information.map(|it| it.subscription_id);
    let also = of_service.into_iter().flatten();
    let named = ccr.subscription_id.iter().chain(also);
    named.filter_map(|id| subscriber(&id)).collect()
}

fn subscriber(id: &SubscriptionId<'_>) -> Option<Subscriber> {
    let data = id.subscription_id_data.0;
    match id.subscription_id_type {
        SubscriptionIdType::E164 => {
            let digits = data.trim_start_matches('+');
            format!("+{digits}").parse().ok().map(Subscriber::Msisdn)
        }
        SubscriptionIdType::Imsi => {
            let is_imsi =
                (6..=15).contains(&data.len()) && data.bytes().all(|it| it.is_ascii_digit());
            is_imsi.then(|| Subscriber::Imsi(data.to_owned()))
        }
        SubscriptionIdType::SipUri => {
            // sip:+8613800138000@ims.example.com, tel:+8613800138000
            let (_, rest) = data.split_once(':')?;
            let number = rest.split(['@', ';']).next()?;
            number.parse().ok().map(Subscriber::Msisdn)
        }
        SubscriptionIdType::Nai | SubscriptionIdType::Private => None,
    }
}

/// The country that serves the device, if the client says so.
fn country(ccr: &CreditControlRequest<'_>) -> Option<CountryCode> {
    let packets = ccr.service_information?.ps_information?;
    let serving = packets.tgpp_sgsn_mcc_mnc.and_then(Plmn::from_digits);
    let location = packets.tgpp_user_location_info;
    let location = || location.and_then(|it| Plmn::from_user_location(it.0));
    country_of(serving.or_else(location)?.mcc)
}

fn services<'a>(
    ccr: &CreditControlRequest<'a>,
    unit: Unit,
) -> Result<Vec<ServiceReport>, Fault<'a>> {
    let several = ccr.multiple_services_credit_control;
    if several.len() > SERVICES_MAX {
        let code = ResultCode::AVP_OCCURS_TOO_MANY_TIMES;
        return Err(Fault::bare(code));
    }
    if several.is_empty() {
        return Ok(only_service(ccr, unit).into_iter().collect());
    }
    let mut reports: Vec<ServiceReport> = Vec::with_capacity(several.len());
    for service in several {
        let key = ServiceKey {
            rating_group: service.rating_group,
            service_identifier: service.service_identifier.first(),
        };
        if reports.iter().any(|it| it.key == key) {
            // Which of the two was meant cannot be said.
            return Err(Fault::bare(ResultCode::CONTRADICTING_AVPS));
        }
        reports.push(ServiceReport {
            key,
            used: used(service.used_service_unit, unit),
            asked: service.requested_service_unit.map(|it| asked(&it, unit)),
        });
    }
    Ok(reports)
}

/// A client without Multiple-Services-Credit-Control has one service, whose units stand in the request
/// itself. Source: `RFC 8506 §5.1.2`.
fn only_service(ccr: &CreditControlRequest<'_>, unit: Unit) -> Option<ServiceReport> {
    let used = used(ccr.used_service_unit, unit);
    let asked = ccr.requested_service_unit.map(|it| asked(&it, unit));
    // An event without units is one of whatever it is.
    let asked = match (asked, ccr.cc_request_type) {
        (None, CcRequestType::Event) => Some(Asked::Any),
        (asked, _) => asked,
    };
    let key = ServiceKey {
        rating_group: None,
        service_identifier: ccr.service_identifier,
    };
    (used.is_some() || asked.is_some()).then_some(ServiceReport { key, used, asked })
}

fn used(several: Repeated<'_, UsedServiceUnit<'_>>, unit: Unit) -> Option<i64> {
    if several.is_empty() {
        return None;
    }
    // One before and one after a change of tariff, or one per reason: all of it was used.
    let amounts = several.iter().map(|it| match unit {
        Unit::Octets => octets(it.total_octets, it.input_octets, it.output_octets).unwrap_or(0),
        Unit::Seconds => it.time_seconds.map_or(0, u64::from),
        Unit::Messages => it.service_specific_units.unwrap_or(0),
    });
    Some(amount(amounts.fold(0, u64::saturating_add)))
}

fn asked(units: &RequestedServiceUnit, unit: Unit) -> Asked {
    let wish = match unit {
        Unit::Octets => octets(units.total_octets, units.input_octets, units.output_octets),
        Unit::Seconds => units.time_seconds.map(u64::from),
        Unit::Messages => units.service_specific_units,
    };
    wish.map_or(Asked::Any, |wish| Asked::UpTo(amount(wish)))
}

fn octets(total: Option<u64>, input: Option<u64>, output: Option<u64>) -> Option<u64> {
    match (total, input, output) {
        (Some(total), _, _) => Some(total),
        (None, None, None) => None,
        (None, input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
    }
}

fn amount(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// Who answers, and how.
pub(crate) struct Speaker<'s> {
    origin: Origin<'s>,
    at_the_end: &'s AtTheEnd,
    failure_handling: CreditControlFailureHandling,
    limit_told: LimitTold,
    quota_holding_seconds: u32,
    filters: Vec<&'s str>,
}

impl<'s> Speaker<'s> {
    pub(crate) fn new(
        origin: Origin<'s>,
        at_the_end: &'s AtTheEnd,
        failure_handling: CreditControlFailureHandling,
    ) -> Self {
        let filters = match at_the_end {
            AtTheEnd::Terminate | AtTheEnd::Redirect(_) => Vec::new(),
            AtTheEnd::Restrict(names) => names.iter().map(String::as_str).collect(),
        };
        Self {
            origin,
            at_the_end,
            failure_handling,
            limit_told: LimitTold::InServices,
            quota_holding_seconds: 0,
            filters,
        }
    }

    /// The same, telling elsewhere that nothing is left.
    pub(crate) fn telling(self, limit_told: LimitTold) -> Self {
        Self { limit_told, ..self }
    }

    /// The same, asking for quota back that is not used for so long; not with 0.
    pub(crate) fn holding(self, quota_holding_seconds: u32) -> Self {
        Self {
            quota_holding_seconds,
            ..self
        }
    }

    /// The code of the answer as a whole.
    fn whole(&self, ccr: &CreditControlRequest<'_>, answer: &Answer) -> ResultCode {
        let mut services = answer.services.iter();
        let has_begun_in_vain = ccr.cc_request_type == CcRequestType::Initial
            && !answer.services.is_empty()
            && services.all(|it| it.result == ServiceResult::LimitReached);
        match self.limit_told {
            LimitTold::InAnswer if has_begun_in_vain => ResultCode::CREDIT_LIMIT_REACHED,
            LimitTold::InAnswer | LimitTold::InServices => command_result(answer.result),
        }
    }

    /// Writes the answer to a request. It is the same for the same request, whenever it is written.
    pub(crate) fn write_answer(
        &self,
        out: &mut Vec<u8>,
        header: &Header,
        ccr: &CreditControlRequest<'_>,
        answer: &Answer,
    ) {
        let unit = unit_of(ccr.service_context_id).unwrap_or(Unit::Octets);
        let identifiers: Vec<_> = answer
            .services
            .iter()
            .map(|service| {
                service
                    .key
                    .service_identifier
                    .into_iter()
                    .collect::<Vec<u32>>()
            })
            .collect();
        let several: Vec<_> = answer
            .services
            .iter()
            .zip(&identifiers)
            .map(|(service, identifiers)| MultipleServicesCreditControl {
                rating_group: service.key.rating_group,
                service_identifier: Repeated::from(identifiers.as_slice()),
                ..self.service(&service.result, unit)
            })
            .collect();
        let mut body = CreditControlAnswer::to(ccr, self.origin, self.whole(ccr, answer));
        body.cc_session_failover = Some(CcSessionFailover::Supported);
        body.credit_control_failure_handling = Some(self.failure_handling);
        if ccr.multiple_services_credit_control.is_empty() {
            if let Some(only) = several.first() {
                body.granted_service_unit = only.granted_service_unit;
                body.final_unit_indication = only.final_unit_indication;
                body.validity_time_seconds = only.validity_time_seconds;
                body.result_code = only.result_code.unwrap_or(body.result_code);
            }
        } else {
            body.multiple_services_credit_control = Repeated::from(several.as_slice());
        }
        write(out, header, &body);
    }

    /// Writes the answer to a check of the balance.
    pub(crate) fn write_check(
        &self,
        out: &mut Vec<u8>,
        header: &Header,
        ccr: &CreditControlRequest<'_>,
        enough: Option<bool>,
    ) {
        let code = match enough {
            Some(_) => ResultCode::SUCCESS,
            None => ResultCode::USER_UNKNOWN,
        };
        let mut body = CreditControlAnswer::to(ccr, self.origin, code);
        body.check_balance_result = enough.map(|enough| match enough {
            true => CheckBalanceResult::EnoughCredit,
            false => CheckBalanceResult::NoCredit,
        });
        write(out, header, &body);
    }

    /// Writes the answer to a request that nobody looked into.
    pub(crate) fn write_result(
        &self,
        out: &mut Vec<u8>,
        header: &Header,
        ccr: &CreditControlRequest<'_>,
        code: ResultCode,
    ) {
        write(
            out,
            header,
            &CreditControlAnswer::to(ccr, self.origin, code),
        );
    }

    fn service(&self, result: &ServiceResult, unit: Unit) -> MultipleServicesCreditControl<'_> {
        let code = |code| MultipleServicesCreditControl {
            result_code: Some(code),
            ..MultipleServicesCreditControl::default()
        };
        match result {
            ServiceResult::Reported => code(ResultCode::SUCCESS),
            ServiceResult::Denied => code(ResultCode::END_USER_SERVICE_DENIED),
            ServiceResult::LimitReached => MultipleServicesCreditControl {
                final_unit_indication: self.way_out(),
                ..code(ResultCode::CREDIT_LIMIT_REACHED)
            },
            ServiceResult::Granted(quota) => MultipleServicesCreditControl {
                granted_service_unit: Some(granted(quota, unit)),
                validity_time_seconds: validity(quota),
                final_unit_indication: quota.last.then(|| self.final_unit()),
                volume_quota_threshold_octets: threshold(quota, unit, Unit::Octets),
                time_quota_threshold_seconds: threshold(quota, unit, Unit::Seconds),
                unit_quota_threshold: threshold(quota, unit, Unit::Messages),
                quota_holding_time_seconds: (self.quota_holding_seconds > 0)
                    .then_some(self.quota_holding_seconds),
                ..code(ResultCode::SUCCESS)
            },
        }
    }

    /// Where users are led once nothing is left, if they are led anywhere.
    fn way_out(&self) -> Option<FinalUnitIndication<'_>> {
        match self.at_the_end {
            AtTheEnd::Terminate => None,
            AtTheEnd::Redirect(_) | AtTheEnd::Restrict(_) => Some(self.final_unit()),
        }
    }

    fn final_unit(&self) -> FinalUnitIndication<'_> {
        match self.at_the_end {
            AtTheEnd::Terminate => FinalUnitIndication {
                final_unit_action: FinalUnitAction::Terminate,
                ..FinalUnitIndication::default()
            },
            AtTheEnd::Redirect(address) => FinalUnitIndication {
                final_unit_action: FinalUnitAction::Redirect,
                redirect_server: Some(RedirectServer {
                    redirect_address_type: RedirectAddressType::Url,
                    redirect_server_address: address,
                }),
                ..FinalUnitIndication::default()
            },
            AtTheEnd::Restrict(_) => FinalUnitIndication {
                final_unit_action: FinalUnitAction::RestrictAccess,
                filter_id: Repeated::from(self.filters.as_slice()),
                ..FinalUnitIndication::default()
            },
        }
    }
}

const fn command_result(result: CommandResult) -> ResultCode {
    match result {
        CommandResult::Taken => ResultCode::SUCCESS,
        CommandResult::UnknownSession => ResultCode::UNKNOWN_SESSION_ID,
        CommandResult::OutOfOrder => ResultCode::UNABLE_TO_COMPLY,
        CommandResult::UnknownSubscriber => ResultCode::USER_UNKNOWN,
        CommandResult::NotInService => ResultCode::END_USER_SERVICE_DENIED,
    }
}

fn granted(quota: &Quota, unit: Unit) -> GrantedServiceUnit {
    let amount = quota.amount.unsigned_abs();
    match unit {
        Unit::Octets => GrantedServiceUnit {
            total_octets: Some(amount),
            ..GrantedServiceUnit::default()
        },
        Unit::Seconds => GrantedServiceUnit {
            time_seconds: Some(u32::try_from(amount).unwrap_or(u32::MAX)),
            ..GrantedServiceUnit::default()
        },
        Unit::Messages => GrantedServiceUnit {
            service_specific_units: Some(amount),
            ..GrantedServiceUnit::default()
        },
    }
}

/// In whole seconds, rounded down: quota must not outlive its bucket; but not zero, which means nothing.
fn validity(quota: &Quota) -> Option<u32> {
    let seconds = quota.validity.as_micros().div_euclid(1_000_000).max(1);
    (quota.validity.as_micros() > 0).then(|| u32::try_from(seconds).unwrap_or(u32::MAX))
}

fn threshold(quota: &Quota, unit: Unit, of: Unit) -> Option<u32> {
    let threshold = u32::try_from(quota.threshold).unwrap_or(u32::MAX);
    (unit == of && threshold > 0).then_some(threshold)
}

fn write(out: &mut Vec<u8>, header: &Header, body: &CreditControlAnswer<'_>) {
    written(encode_as(out, header, body));
}

/// What we write is bounded by the request that it answers, and by our own names: too long is a defect.
pub(crate) fn written(result: Result<usize, TooLong>) {
    if let Err(error) = result {
        tracing::error!(%error, "a message was too long to write");
    }
}

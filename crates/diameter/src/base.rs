//! The messages of the base protocol, and those about sessions that any application uses.

use crate::avp::Avp;
use crate::fault::ResultCode;
use crate::value::Address;

enumerated! {
    /// Why a connection is given up.
    ///
    /// Source: RFC 6733 §5.4.3
    pub open DisconnectCause { Rebooting = 0, Busy = 1, DoNotWantToTalkToYou = 2, }
}

enumerated! {
    /// What a session is to be asked again about.
    ///
    /// Source: RFC 6733 §8.12
    pub open ReAuthRequestType { AuthorizeOnly = 0, AuthorizeAuthenticate = 1, }
}

enumerated! {
    /// Why a session ended.
    ///
    /// Source: RFC 6733 §8.15
    pub open TerminationCause {
        Logout = 1, ServiceNotProvided = 2, BadAnswer = 3, Administrative = 4, LinkBroken = 5,
        AuthExpired = 6, UserMoved = 7, SessionTimeout = 8,
    }
}

enumerated! {
    /// What a node does when a peer that is redirected to does not answer.
    ///
    /// Source: RFC 6733 §6.13
    pub open RedirectHostUsage {
        DontCache = 0, AllSession = 1, AllRealm = 2, RealmAndApplication = 3, AllApplication = 4,
        AllHost = 5, AllUser = 6,
    }
}

group! {
    /// An application of a vendor. Exactly one of the two ids is given.
    ///
    /// Source: RFC 6733 §6.11
    pub struct VendorSpecificApplicationId: Closed {
        one vendor_id: u32 = VENDOR_ID,
        opt auth_application_id: u32 = AUTH_APPLICATION_ID,
        opt acct_application_id: u32 = ACCT_APPLICATION_ID,
    }
}

group! {
    /// CER: who a peer is and what it speaks.
    ///
    /// Source: RFC 6733 §5.3.1
    pub struct CapabilitiesExchangeRequest<'a>: Open {
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        some host_ip_address: Address<'a> = HOST_IP_ADDRESS,
        one vendor_id: u32 = VENDOR_ID,
        one product_name: &'a str = PRODUCT_NAME,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        many supported_vendor_id: u32 = SUPPORTED_VENDOR_ID,
        many auth_application_id: u32 = AUTH_APPLICATION_ID,
        many inband_security_id: u32 = INBAND_SECURITY_ID,
        many acct_application_id: u32 = ACCT_APPLICATION_ID,
        many vendor_specific_application_id: VendorSpecificApplicationId = VENDOR_SPECIFIC_APPLICATION_ID,
        opt firmware_revision: u32 = FIRMWARE_REVISION,
    }
}
command!(CapabilitiesExchangeRequest<'a> = 257 request of BASE);

group! {
    /// CEA: the same of the other side.
    ///
    /// Source: RFC 6733 §5.3.2
    pub struct CapabilitiesExchangeAnswer<'a>: Open {
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        some host_ip_address: Address<'a> = HOST_IP_ADDRESS,
        one vendor_id: u32 = VENDOR_ID,
        one product_name: &'a str = PRODUCT_NAME,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt error_message: &'a str = ERROR_MESSAGE,
        many failed_avp: Avp<'a> = FAILED_AVP,
        many supported_vendor_id: u32 = SUPPORTED_VENDOR_ID,
        many auth_application_id: u32 = AUTH_APPLICATION_ID,
        many inband_security_id: u32 = INBAND_SECURITY_ID,
        many acct_application_id: u32 = ACCT_APPLICATION_ID,
        many vendor_specific_application_id: VendorSpecificApplicationId = VENDOR_SPECIFIC_APPLICATION_ID,
        opt firmware_revision: u32 = FIRMWARE_REVISION,
    }
}
command!(CapabilitiesExchangeAnswer<'a> = 257 answer of BASE);

group! {
    /// DWR: are you there?
    ///
    /// Source: RFC 6733 §5.5.1
    pub struct DeviceWatchdogRequest<'a>: Open {
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
    }
}
command!(DeviceWatchdogRequest<'a> = 280 request of BASE);

group! {
    /// DWA: yes.
    ///
    /// Source: RFC 6733 §5.5.2
    pub struct DeviceWatchdogAnswer<'a>: Open {
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        opt error_message: &'a str = ERROR_MESSAGE,
        many failed_avp: Avp<'a> = FAILED_AVP,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
    }
}
command!(DeviceWatchdogAnswer<'a> = 280 answer of BASE);

group! {
    /// DPR: the connection is to be closed.
    ///
    /// Source: RFC 6733 §5.4.1
    pub struct DisconnectPeerRequest<'a>: Open {
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one disconnect_cause: DisconnectCause = DISCONNECT_CAUSE,
    }
}
command!(DisconnectPeerRequest<'a> = 282 request of BASE);

group! {
    /// DPA: so be it.
    ///
    /// Source: RFC 6733 §5.4.2
    pub struct DisconnectPeerAnswer<'a>: Open {
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        opt error_message: &'a str = ERROR_MESSAGE,
        many failed_avp: Avp<'a> = FAILED_AVP,
    }
}
command!(DisconnectPeerAnswer<'a> = 282 answer of BASE);

group! {
    /// RAR: ask again about a session, because what it may use has changed.
    ///
    /// Source: RFC 6733 §8.3.1, RFC 8506 §5.5, 3GPP TS 32.299 §6.4.4
    pub struct ReAuthRequest<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one destination_realm: &'a str = DESTINATION_REALM,
        one destination_host: &'a str = DESTINATION_HOST,
        one auth_application_id: u32 = AUTH_APPLICATION_ID,
        one re_auth_request_type: ReAuthRequestType = RE_AUTH_REQUEST_TYPE,
        opt user_name: crate::Private<&'a str> = USER_NAME,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt cc_sub_session_id: u64 = CC_SUB_SESSION_ID,
        opt g_s_u_pool_identifier: u32 = G_S_U_POOL_IDENTIFIER,
        many service_identifier: u32 = SERVICE_IDENTIFIER,
        many rating_group: u32 = RATING_GROUP,
        many proxy_info: Avp<'a> = PROXY_INFO,
        many route_record: &'a str = ROUTE_RECORD,
    }
}
command!(ReAuthRequest<'a> = 258 request of CREDIT_CONTROL, proxiable);

group! {
    /// RAA.
    ///
    /// Source: RFC 6733 §8.3.2
    pub struct ReAuthAnswer<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        opt user_name: crate::Private<&'a str> = USER_NAME,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt error_message: &'a str = ERROR_MESSAGE,
        opt error_reporting_host: &'a str = ERROR_REPORTING_HOST,
        many failed_avp: Avp<'a> = FAILED_AVP,
        many redirect_host: &'a str = REDIRECT_HOST,
        opt redirect_host_usage: RedirectHostUsage = REDIRECT_HOST_USAGE,
        opt redirect_max_cache_time: u32 = REDIRECT_MAX_CACHE_TIME,
        many proxy_info: Avp<'a> = PROXY_INFO,
    }
}
command!(ReAuthAnswer<'a> = 258 answer of CREDIT_CONTROL, proxiable);

group! {
    /// ASR: end a session.
    ///
    /// Source: RFC 6733 §8.5.1
    pub struct AbortSessionRequest<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one destination_realm: &'a str = DESTINATION_REALM,
        one destination_host: &'a str = DESTINATION_HOST,
        one auth_application_id: u32 = AUTH_APPLICATION_ID,
        opt user_name: crate::Private<&'a str> = USER_NAME,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        many proxy_info: Avp<'a> = PROXY_INFO,
        many route_record: &'a str = ROUTE_RECORD,
    }
}
command!(AbortSessionRequest<'a> = 274 request of CREDIT_CONTROL, proxiable);

group! {
    /// ASA.
    ///
    /// Source: RFC 6733 §8.5.2
    pub struct AbortSessionAnswer<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        opt user_name: crate::Private<&'a str> = USER_NAME,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt error_message: &'a str = ERROR_MESSAGE,
        opt error_reporting_host: &'a str = ERROR_REPORTING_HOST,
        many failed_avp: Avp<'a> = FAILED_AVP,
        many redirect_host: &'a str = REDIRECT_HOST,
        opt redirect_host_usage: RedirectHostUsage = REDIRECT_HOST_USAGE,
        opt redirect_max_cache_time: u32 = REDIRECT_MAX_CACHE_TIME,
        many proxy_info: Avp<'a> = PROXY_INFO,
    }
}
command!(AbortSessionAnswer<'a> = 274 answer of CREDIT_CONTROL, proxiable);

group! {
    /// STR: a session has ended. Credit control says so with a CCR; some clients send this as well.
    ///
    /// Source: RFC 6733 §8.4.1
    pub struct SessionTerminationRequest<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one destination_realm: &'a str = DESTINATION_REALM,
        one auth_application_id: u32 = AUTH_APPLICATION_ID,
        one termination_cause: TerminationCause = TERMINATION_CAUSE,
        opt user_name: crate::Private<&'a str> = USER_NAME,
        opt destination_host: &'a str = DESTINATION_HOST,
        many class: &'a [u8] = CLASS,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        many proxy_info: Avp<'a> = PROXY_INFO,
        many route_record: &'a str = ROUTE_RECORD,
    }
}
command!(SessionTerminationRequest<'a> = 275 request of CREDIT_CONTROL, proxiable);

group! {
    /// STA.
    ///
    /// Source: RFC 6733 §8.4.2
    pub struct SessionTerminationAnswer<'a>: Open {
        one session_id: &'a str = SESSION_ID,
        one result_code: ResultCode = RESULT_CODE,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        opt user_name: crate::Private<&'a str> = USER_NAME,
        many class: &'a [u8] = CLASS,
        opt error_message: &'a str = ERROR_MESSAGE,
        opt error_reporting_host: &'a str = ERROR_REPORTING_HOST,
        many failed_avp: Avp<'a> = FAILED_AVP,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        many redirect_host: &'a str = REDIRECT_HOST,
        opt redirect_host_usage: RedirectHostUsage = REDIRECT_HOST_USAGE,
        opt redirect_max_cache_time: u32 = REDIRECT_MAX_CACHE_TIME,
        many proxy_info: Avp<'a> = PROXY_INFO,
    }
}
command!(SessionTerminationAnswer<'a> = 275 answer of CREDIT_CONTROL, proxiable);

group! {
    /// What any failed answer has at least.
    ///
    /// Source: RFC 6733 §7.2
    pub struct ErrorAnswer<'a>: Open {
        opt session_id: &'a str = SESSION_ID,
        one origin_host: &'a str = ORIGIN_HOST,
        one origin_realm: &'a str = ORIGIN_REALM,
        one result_code: ResultCode = RESULT_CODE,
        opt origin_state_id: u32 = ORIGIN_STATE_ID,
        opt error_message: &'a str = ERROR_MESSAGE,
        opt error_reporting_host: &'a str = ERROR_REPORTING_HOST,
        many failed_avp: Avp<'a> = FAILED_AVP,
        many redirect_host: &'a str = REDIRECT_HOST,
        opt redirect_host_usage: RedirectHostUsage = REDIRECT_HOST_USAGE,
        opt redirect_max_cache_time: u32 = REDIRECT_MAX_CACHE_TIME,
        many proxy_info: Avp<'a> = PROXY_INFO,
    }
}

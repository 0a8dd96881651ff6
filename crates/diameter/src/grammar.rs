//! Macros that turn a grammar (RFC 6733 §3.2) into a struct that reads and writes itself.

/// Declares a group of AVPs. Fields are `one` (required), `opt`, `many` (any number) or `some` (at least one);
/// they are written in the order of the declaration. `closed` groups hold nothing that is not named.
macro_rules! group {
    (@type one $type:ty) => { $type };
    (@type opt $type:ty) => { Option<$type> };
    (@type many $type:ty) => { $crate::value::Repeated<'a, $type> };
    (@type some $type:ty) => { $crate::value::Repeated<'a, $type> };

    (@slot many $field:ident $type:ty) => { let mut $field = $crate::value::Repeated::<'_, $type>::default(); };
    (@slot some $field:ident $type:ty) => { let mut $field = $crate::value::Repeated::<'_, $type>::default(); };
    (@slot $shape:ident $field:ident $type:ty) => { let mut $field: Option<$type> = None; };

    (@take many $field:ident $type:ty, $avp:ident, $key:ident, $region:ident) => {{
        <$type as $crate::value::Value<'_>>::read(&$avp, &$crate::dictionary::$key)?;
        $field.add($region, &$crate::dictionary::$key);
    }};
    (@take some $field:ident $type:ty, $avp:ident, $key:ident, $region:ident) => {
        group!(@take many $field $type, $avp, $key, $region)
    };
    (@take $shape:ident $field:ident $type:ty, $avp:ident, $key:ident, $region:ident) => {{
        if $field.is_some() {
            let code = $crate::fault::ResultCode::AVP_OCCURS_TOO_MANY_TIMES;
            return Err($crate::fault::Fault::of(code, &$avp));
        }
        $field = Some(<$type as $crate::value::Value<'_>>::read(&$avp, &$crate::dictionary::$key)?);
    }};

    (@done one $field:ident $key:ident) => {
        $field.ok_or($crate::fault::Fault::missing(&$crate::dictionary::$key))?
    };
    (@done some $field:ident $key:ident) => {{
        if $field.is_empty() {
            return Err($crate::fault::Fault::missing(&$crate::dictionary::$key));
        }
        $field
    }};
    (@done $shape:ident $field:ident $key:ident) => { $field };

    (@put one $value:expr, $key:ident, $out:ident) => {
        $crate::value::Value::write(&$value, &$crate::dictionary::$key, $out)
    };
    (@put opt $value:expr, $key:ident, $out:ident) => {
        if let Some(value) = &$value {
            $crate::value::Value::write(value, &$crate::dictionary::$key, $out);
        }
    };
    (@put $shape:ident $value:expr, $key:ident, $out:ident) => {
        for value in $value.iter() {
            $crate::value::Value::write(&value, &$crate::dictionary::$key, $out);
        }
    };

    (
        $(#[$meta:meta])*
        pub struct $name:ident $(<$life:lifetime>)? : $grammar:ident {
            $($(#[$doc:meta])* $shape:ident $field:ident: $type:ty = $key:ident,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Default)]
        pub struct $name $(<$life>)? {
            $(
                $(#[$doc])*
                #[doc = concat!("AVP [`", stringify!($key), "`](crate::dictionary::", stringify!($key), ").")]
                pub $field: group!(@type $shape $type),
            )*
        }

        impl<'a> $crate::message::Group<'a> for $name $(<$life>)? {
            fn read_group(mut avps: $crate::avp::Avps<'a>) -> Result<Self, $crate::fault::Fault<'a>> {
                $(const {
                    assert!(
                        $crate::value::fits(
                            <$type as $crate::value::Value<'_>>::KINDS,
                            $crate::dictionary::$key.kind,
                        ),
                        "the type of a field does not fit the format of its AVP"
                    );
                })*
                $(group!(@slot $shape $field $type);)*
                loop {
                    let _region = avps.rest();
                    let Some(avp) = avps.next() else { break };
                    let avp = avp?;
                    match avp.key() {
                        $($crate::dictionary::key::$key => {
                            group!(@take $shape $field $type, avp, $key, _region);
                        })*
                        _ => $crate::fault::pass_over(&avp, $crate::fault::Grammar::$grammar)?,
                    }
                }
                Ok(Self { $($field: group!(@done $shape $field $key),)* })
            }

            fn write_group(&self, out: &mut $crate::encode::Encoder<'_>) {
                $(group!(@put $shape self.$field, $key, out);)*
            }
        }

        impl<'a> $crate::value::Value<'a> for $name $(<$life>)? {
            const KINDS: &'static [$crate::avp::Kind] = &[$crate::avp::Kind::Grouped];

            fn read(
                avp: &$crate::avp::Avp<'a>,
                _: &'static $crate::avp::Definition,
            ) -> Result<Self, $crate::fault::Fault<'a>> {
                $crate::message::Group::read_group(avp.group())
                    .map_err(|fault| fault.inside(avp.key()))
            }

            fn write(
                &self,
                definition: &'static $crate::avp::Definition,
                out: &mut $crate::encode::Encoder<'_>,
            ) {
                out.group(definition, |out| $crate::message::Group::write_group(self, out));
            }
        }
    };
}

/// Declares the values of an AVP of format Enumerated. `closed`: others are refused with
/// `DIAMETER_INVALID_AVP_VALUE`. `open`: they are kept, for lists that later releases lengthen. The first is the
/// default.
macro_rules! enumerated {
    (
        $(#[$meta:meta])*
        pub closed $name:ident { $first:ident = $zero:literal, $($variant:ident = $value:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum $name {
            #[doc = concat!("Value ", $zero, ".")]
            #[default]
            $first,
            $(#[doc = concat!("Value ", $value, ".")] $variant,)*
        }

        impl $name {
            /// The value on the wire.
            #[must_use]
            pub const fn code(self) -> u32 {
                match self { Self::$first => $zero, $(Self::$variant => $value,)* }
            }

            /// What a value means.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $zero => Some(Self::$first), $($value => Some(Self::$variant),)* _ => None }
            }
        }

        enumerated!(@value $name);
    };
    (
        $(#[$meta:meta])*
        pub open $name:ident { $first:ident = $zero:literal, $($variant:ident = $value:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum $name {
            #[doc = concat!("Value ", $zero, ".")]
            #[default]
            $first,
            $(#[doc = concat!("Value ", $value, ".")] $variant,)*
            /// A value that this list does not have.
            Other(u32),
        }

        impl $name {
            /// The value on the wire.
            #[must_use]
            pub const fn code(self) -> u32 {
                match self {
                    Self::$first => $zero,
                    $(Self::$variant => $value,)*
                    Self::Other(code) => code,
                }
            }

            /// What a value means; there is a meaning for every one.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $zero => Some(Self::$first),
                    $($value => Some(Self::$variant),)*
                    _ => Some(Self::Other(code)),
                }
            }
        }

        enumerated!(@value $name);
    };
    (@value $name:ident) => {
        impl<'a> $crate::value::Value<'a> for $name {
            const KINDS: &'static [$crate::avp::Kind] =
                &[$crate::avp::Kind::Enumerated, $crate::avp::Kind::Unsigned32];

            #[inline]
            fn read(
                avp: &$crate::avp::Avp<'a>,
                definition: &'static $crate::avp::Definition,
            ) -> Result<Self, $crate::fault::Fault<'a>> {
                let code = <u32 as $crate::value::Value<'a>>::read(avp, definition)?;
                Self::from_code(code).ok_or($crate::fault::Fault::invalid_value(avp))
            }

            #[inline]
            fn write(
                &self,
                definition: &'static $crate::avp::Definition,
                out: &mut $crate::encode::Encoder<'_>,
            ) {
                out.unsigned32(definition, self.code());
            }
        }
    };
}

/// Says which command a group is.
macro_rules! command {
    ($name:ident $(<$life:lifetime>)? = $code:literal $role:ident of $application:ident $(, $proxiable:ident)?) => {
        impl<'a> $crate::message::Command<'a> for $name $(<$life>)? {
            const CODE: u32 = $code;
            const APPLICATION: u32 = $crate::message::application::$application;
            const FLAGS: u8 = command!(@role $role) $(| command!(@role $proxiable))?;
        }
    };
    (@role request) => { $crate::frame::FLAG_REQUEST };
    (@role answer) => { 0 };
    (@role proxiable) => { $crate::frame::FLAG_PROXIABLE };
}

//! The MD5 signatures of the two cashier services, TianTa and Teegon.
//!
//! Source: `spec/ttpay.md`, A.6 and A.7 (rules), A.9 (X10 to X15, X28: how the manuals' contradictions are read), A.10
//! (vectors). An MD5 over a shared key proves who asked; it hides nothing.

use md5::{Digest, Md5};

use super::sign::joined;
use crate::domain::Secret;

/// TianTa: every non-empty parameter but `sign`, sorted by name, raw `name=value` joined by `&`, the key behind it
/// once; upper-case hex. (TT-1)
pub fn tianta(params: &[(&str, &str)], key: &Secret) -> String {
    let text = format!("{}{}", joined(params), key.expose());
    hex::encode_upper(Md5::digest(text.as_bytes()))
}

/// Teegon: every parameter but `sign`, empty ones too, sorted by name as bytes; names and values without anything
/// between them, the secret before and behind; upper-case hex. (TG-1, TG-5)
///
/// Notices are verified with all they carry, so an empty value counts with its name. Questions leave empty parameters
/// out, which their signature then does too.
pub fn teegon(params: &[(&str, &str)], secret: &Secret) -> String {
    let mut kept: Vec<(&str, &str)> = params.iter().filter(|(name, _)| *name != "sign").copied().collect();
    kept.sort_unstable();
    let pairs: String = kept.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let text = format!("{0}{pairs}{0}", secret.expose());
    hex::encode_upper(Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: [(&str, &str); 9] = [
        ("user_token", "123456"),
        ("auth_code", "28705321936224024"),
        ("type", "ALIPAY"),
        ("money", "1"),
        ("notifyUrl", "http://www.baidu.com"),
        ("operatorId", "1234"),
        ("body", "测试"),
        ("orderNo", "1524731816"),
        ("version", "V1.0.7"),
    ];

    fn key() -> Secret {
        Secret::new("C3226F16BE")
    }

    #[test]
    fn tianta_signs_as_in_tt_1() {
        assert_eq!(tianta(&EXAMPLE, &key()), "9735031ADF19C1FEFDB42A67A0E9EA2A");
        let mut signed = EXAMPLE.to_vec();
        signed.extend([("sign", "X"), ("empty", "")]);
        assert_eq!(tianta(&signed, &key()), "9735031ADF19C1FEFDB42A67A0E9EA2A");
    }

    /// Readings of the manual that were not taken (TT-2 to TT-11): none of them may come out.
    #[test]
    fn tianta_signs_in_no_other_way() {
        let made = tianta(&EXAMPLE, &key());
        for other in [
            "4B116D9271D95A498F778A622333A1DB",
            "83EED7E028CE9F1158A320BB141E410E",
            "0D31533E457ED7B4C8C27B416693229A",
            "96F85F7662CE4A782F1EE0216D80C2CD",
            "A8FA39361F5BA19C56EEFB5690AF6213",
            "93CDCD75A35FAB9A2478BD791DB1B815",
            "8F42DF489385C06FA99AE09112D53ED1",
            "BE1AE12CBDF63D67C892532AAF9D47C1",
            "6160554569EE237B2C913396ED51CC8A",
            "672C5F28F7C056FD6B518CABF2056E15",
        ] {
            assert_ne!(made, other);
        }
    }

    #[test]
    fn the_nightly_calls_of_tianta() {
        let user = ("user_token", "123456");
        let version = ("version", "V1.0.10");
        let order = ("pay_no", "1524731816");
        let refund = ("refund_no", "R1524731816");
        for (params, sign) in [
            (vec![order, ("type", "WECHAT"), user, version], "5029CA5F2B48B5C1B9B1B36AACFA9E1F"),
            (
                vec![order, ("trade_no", ""), ("type", "WECHAT"), user, version],
                "5029CA5F2B48B5C1B9B1B36AACFA9E1F",
            ),
            (
                vec![("money", "1"), order, refund, ("type", "ALIPAY"), user, version],
                "CD1C6821A48EC8D748EE4E2074DA0637",
            ),
            (vec![order, refund, ("type", "ALIPAY"), user, version], "D62741A249F91B25CDEF6ACFC875FF2C"),
        ] {
            assert_eq!(tianta(&params, &key()), sign, "{params:?}");
        }
    }

    fn teegon_with(params: &[(&str, &str)], secret: &str) -> String {
        teegon(params, &Secret::new(secret))
    }

    #[test]
    fn teegon_signs_as_in_tg_1_to_tg_6() {
        let four = [("foo", "1"), ("bar", "2"), ("foo_bar", "3"), ("foobar", "4")];
        assert_eq!(teegon_with(&four, "secret"), "4B4AC0F2D69BA521FFDE55A2BBEE3025");
        assert_eq!(teegon_with(&four, "test_client_secret"), "D3B2096A8E3E1254A5BCA93C179DEA5D");
        // TG-3, TG-4: sorted by locale, the secret at one end only.
        for wrong in [
            "7C3E51709D3EFE6C6EA04C139ACDF690",
            "7DA92959A6844F566343205731757878",
            "D8514397A7CCA0ACC37D31DE6506FB66",
        ] {
            assert_ne!(teegon_with(&four, "secret"), wrong);
        }
        let mut with_empty = four.to_vec();
        with_empty.push(("empty", ""));
        assert_eq!(teegon_with(&with_empty, "secret"), "DBF70E49705A65413C50DF821662B7D0");
        let status = [("client_id", "x6k7oaqey98uddkl4r4233aq"), ("charge_id", "e64mwlyzioalveqzs7mmpabs")];
        assert_eq!(teegon_with(&status, "secret"), "A7309EDB3CB15E0D10CFE93051117190");
    }

    #[test]
    fn teegon_notice_of_tg_8() {
        let notice = [
            ("sign", "930D31C2813B32113D5120C58EBEB081"),
            ("amount", "12.34"),
            ("bank", ""),
            ("buyer", "test@test.com"),
            ("channel", "wxpay"),
            ("charge_id", "87diui7y8e687gf"),
            ("device_info", ""),
            ("is_success", "true"),
            ("metadata", ""),
            ("order_no", "20160101124567878"),
            ("pay_time", "1466057771"),
            ("real_amount", "12.11"),
            ("status", "trade_status_sync"),
            ("timestamp", "1466057771"),
        ];
        assert_eq!(teegon_with(&notice, "secret"), notice[0].1);
        let mut forged = notice.to_vec();
        forged[1].1 = "12.35";
        assert_ne!(teegon_with(&forged, "secret"), notice[0].1);
    }
}

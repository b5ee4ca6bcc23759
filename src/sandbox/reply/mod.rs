//! What providers answer a till, as the gateway keeps it in RES_OBJ: one writer for each family.

pub(super) mod alipay_json;
pub(super) mod alipay_overseas;
pub(super) mod alipay_xml;
pub(super) mod teegon;
pub(super) mod tianta;
pub(super) mod xml;
pub(super) mod wechat;

use super::log_row::Scene;
use super::town::Family;

/// Writes the reply of the scene's family; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(super) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    match scene.account.family() {
        Family::Wechat => wechat::write(out, scene),
        Family::Alipay10 => alipay_xml::write(out, scene),
        Family::AlipayOverseas => alipay_overseas::write(out, scene),
        Family::Tianta => tianta::write(out, scene),
        Family::Teegon => teegon::write(out, scene),
        Family::Alipay20 => alipay_json::write(out, scene),
        Family::WechatOverseas => wechat::write(out, scene),
    }
}

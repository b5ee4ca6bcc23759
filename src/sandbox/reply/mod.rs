//! What providers answer a till, as the gateway keeps it in RES_OBJ: one writer for each family.

pub(super) mod alipay_json;
pub(super) mod wechat;

use super::log_row::Scene;
use super::town::Family;

/// Writes the reply of the scene's family; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(super) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    match scene.account.family() {
        Family::Wechat => wechat::write(out, scene),
        Family::Alipay20 => alipay_json::write(out, scene),
        Family::WechatOverseas => wechat::write(out, scene),
    }
}

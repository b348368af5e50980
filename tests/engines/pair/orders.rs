//! The pattern as it is.

use anyhow::{Result, ensure};

use super::scene::{Plan, Scene};
use crate::stage::{Kind, Stage};

const ORDERS: usize = 20;

pub(super) fn end_right(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    let scene = Scene::start(stage, "orders", kinds, Plan::default())?;
    let orders = scene.engines.place(ORDERS)?;
    scene.engines.until_all_end(&orders)?;
    let messages = |ok: bool| {
        scene
            .order_proxy
            .count(|one| one.target.ends_with("/message") && (one.status == 200) == ok)
    };
    ensure!(
        messages(false) == 0,
        "{} messages missed their receivers",
        messages(false)
    );
    ensure!(messages(true) == ORDERS, "{} messages", messages(true));
    let completed = scene.order_proxy.count(|one| one.is_completion() && one.status == 204);
    // Each order's hand-off, and its shipping or refund.
    ensure!(completed == 2 * ORDERS, "{completed} completions");
    Ok("yes")
}

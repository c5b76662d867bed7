//! The box as a whole.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Sent};
use crate::{Backend, MachineOrder, Ordered};

pub(super) async fn order<B: Backend>(
    State(api): State<Api<B>>,
    Sent(order): Sent<MachineOrder>,
) -> Answer<Ordered> {
    Ok(Json(api.backend.order(order).await?))
}

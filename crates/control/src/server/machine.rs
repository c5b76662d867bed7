//! The box as a whole.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Sent};
use crate::{Backend, MachineOrder, Ordered, Refusal};

/// Has the box as a whole do something.
#[utoipa::path(
    post,
    path = "/v1/machine",
    tag = "machine",
    request_body = MachineOrder,
    responses(
        (status = 200, description = "It is being done.", body = Ordered),
        (status = 409, description = "This is not the firmware of a box.", body = Refusal),
        (status = 422, description = "There is no such order.", body = Refusal)
    )
)]
pub(super) async fn order<B: Backend>(
    State(api): State<Api<B>>,
    Sent(order): Sent<MachineOrder>,
) -> Answer<Ordered> {
    Ok(Json(api.backend.order(order).await?))
}

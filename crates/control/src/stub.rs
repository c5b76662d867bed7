//! Stub until the operators' side is merged.
use serde::{Deserialize, Serialize};
/// x
pub const CLIENT_HEADER: &str = "gatehouse-client";
/// x
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimStatus {
    /// x
    pub claimed: bool,
}
/// x
pub async fn serve_line<B: crate::Backend>(
    _: std::os::unix::net::UnixStream,
    _: B,
) -> std::io::Result<()> {
    Ok(())
}

//! What command line and console ask about operators.

use hyper::Method;

use crate::api::UserQuery;
use crate::{ClaimStatus, Client, ClientError, NewUser, User, UserChange};

impl Client {
    /// Whether somebody has claimed the box, and the code to do so; it is made where there is none.
    ///
    /// # Errors
    /// Every method: [`ClientError`].
    pub async fn claim_status(&self) -> Result<ClaimStatus, ClientError> {
        self.ask(Method::GET, "/v1/claim", &()).await
    }

    /// All users.
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        self.ask(Method::GET, "/v1/users", &()).await
    }

    /// Makes a user.
    pub async fn add_user(&self, user: &NewUser) -> Result<User, ClientError> {
        self.tell(Method::POST, "/v1/users", user).await
    }

    /// Changes role or password of a user, and ends his sessions.
    pub async fn change_user(&self, name: &str, change: &UserChange) -> Result<User, ClientError> {
        let query = serde_urlencoded::to_string(named(name))
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        self.tell(Method::PATCH, &format!("/v1/users?{query}"), change)
            .await
    }

    /// Removes a user.
    pub async fn remove_user(&self, name: &str) -> Result<(), ClientError> {
        self.ask(Method::DELETE, "/v1/users", &named(name)).await
    }

    /// Has a user sign in without his authenticator app.
    pub async fn remove_totp(&self, name: &str) -> Result<(), ClientError> {
        self.ask(Method::DELETE, "/v1/users/totp", &named(name))
            .await
    }

    /// Removes all users; the answer has the code to claim the box anew.
    pub async fn reset_users(&self) -> Result<ClaimStatus, ClientError> {
        self.ask(Method::POST, "/v1/users/reset", &()).await
    }
}

fn named(name: &str) -> UserQuery {
    UserQuery {
        name: name.to_owned(),
    }
}

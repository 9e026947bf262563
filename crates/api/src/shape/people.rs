//! Who can take care of the issues of an organization.

use std::collections::HashMap;

use nuthatch_issues::Assignee;
use nuthatch_protocol::{TeamId, UserId};
use nuthatch_store::{accounts, teams};

use crate::shape::{account::User, issue::Actor};

/// The members and teams of an organization, by id.
#[derive(Debug)]
pub(crate) struct People {
    users: HashMap<UserId, User>,
    teams: HashMap<TeamId, String>,
}

impl People {
    pub(crate) fn new(users: &HashMap<UserId, accounts::User>, teams: Vec<teams::Team>) -> Self {
        Self {
            users: users.iter().map(|(id, user)| (*id, User::from(user))).collect(),
            teams: teams.into_iter().map(|team| (team.id, team.name)).collect(),
        }
    }

    /// A member.
    pub(crate) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// Who takes care of an issue; `None` when the account or team is gone.
    pub(crate) fn actor(&self, assignee: Assignee) -> Option<Actor> {
        match assignee {
            Assignee::User(id) => self.users.get(&id).map(|user| Actor {
                kind: "user".to_owned(),
                id: user.id.clone(),
                name: user.name.clone(),
                email: Some(user.email.clone()),
            }),
            Assignee::Team(id) => self.teams.get(&id).map(|name| Actor {
                kind: "team".to_owned(),
                id: id.to_string(),
                name: name.clone(),
                email: None,
            }),
        }
    }
}

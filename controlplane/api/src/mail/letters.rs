//! What the messages say: plain text, each with the link and the bare token.

use url::Url;

use super::Mail;

fn link(public_url: &Url, page: &str, token: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("{base}/{page}?token={token}")
}

/// A name that somebody has chosen, as a letter to somebody else shows it: on one line, and no link.
fn plain(name: &str) -> String {
    // Format characters too: they turn the direction of a text or hide part of it.
    let hidden = |c: char| {
        c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    let text: String = name.chars().filter(|c| !hidden(*c)).collect();
    text.replace("://", " ")
}

/// Somebody signed up with this address.
pub(crate) fn verification(public_url: &Url, to: &str, token: &str) -> Mail {
    let link = link(public_url, "verify", token);
    Mail {
        to: to.to_owned(),
        subject: "Confirm your email address".into(),
        text: format!(
            "Welcome to Firn.\n\n\
             To confirm that this address is yours, open\n\n    {link}\n\n\
             and enter the password that you have chosen, or give it with this token to POST /v1/verifications:\n\n    {token}\n\n\
             The token is good for 24 hours and works once. Each signup has its own: if your password is not accepted, sign up again and \
             use the newest mail.\n\n\
             If you did not sign up, ignore this mail: without it nobody can log in with your address.\n"
        ),
    }
}

/// Somebody signed up with an address that has an account.
pub(crate) fn account_exists(public_url: &Url, to: &str) -> Mail {
    let base = public_url.as_str().trim_end_matches('/');
    Mail {
        to: to.to_owned(),
        subject: "You have an account already".into(),
        text: format!(
            "Somebody, most likely you, signed up to Firn with this address. It has an account already.\n\n\
             Log in at {base}/login. If you do not know your password any more, choose a new one at {base}/reset.\n\n\
             If it was not you, there is nothing to do: your account is unchanged.\n"
        ),
    }
}

/// Somebody wants to choose a new password for this address.
pub(crate) fn password_reset(public_url: &Url, to: &str, token: &str) -> Mail {
    let link = link(public_url, "reset", token);
    Mail {
        to: to.to_owned(),
        subject: "Choose a new password".into(),
        text: format!(
            "To choose a new password for Firn, open\n\n    {link}\n\n\
             or give this token to POST /v1/password-resets/complete:\n\n    {token}\n\n\
             It is good for one hour and works once. A new password ends all your sessions, and takes back every login provider \
             that was linked to your account.\n\n\
             If you did not ask for it, ignore this mail: your password is unchanged.\n"
        ),
    }
}

/// Somebody invites this address into an organization.
pub(crate) fn invitation(public_url: &Url, to: &str, organization: &str, token: &str) -> Mail {
    let link = link(public_url, "invitation", token);
    let organization = plain(organization);
    Mail {
        to: to.to_owned(),
        subject: "You are invited to an organization on Firn".into(),
        text: format!(
            "You are invited to the organization \"{organization}\" on Firn. To accept, open\n\n    {link}\n\n\
             or give this token to POST /v1/invitations/accept:\n\n    {token}\n\n\
             It is good for seven days and works once. If you do not know who this is, ignore this mail.\n"
        ),
    }
}

/// A login provider was linked to the account of this address.
pub(crate) fn provider_linked(public_url: &Url, to: &str, provider: &str) -> Mail {
    let base = public_url.as_str().trim_end_matches('/');
    let provider = plain(provider);
    Mail {
        to: to.to_owned(),
        subject: "A login provider was linked to your account".into(),
        text: format!(
            "The login provider \"{provider}\" logs in to your account at Firn from now on.\n\n\
             If it was not you, choose a new password at once, which takes it back: {base}/reset\n"
        ),
    }
}

/// A login provider was unlinked from the account of this address.
pub(crate) fn provider_unlinked(public_url: &Url, to: &str, provider: &str) -> Mail {
    let base = public_url.as_str().trim_end_matches('/');
    let provider = plain(provider);
    Mail {
        to: to.to_owned(),
        subject: "A login provider was unlinked from your account".into(),
        text: format!(
            "The login provider \"{provider}\" does not log in to your account at Firn any more.\n\n\
             If it was not you, choose a new password at once: {base}/reset\n"
        ),
    }
}

/// The password of this address was changed.
pub(crate) fn password_changed(public_url: &Url, to: &str) -> Mail {
    let base = public_url.as_str().trim_end_matches('/');
    Mail {
        to: to.to_owned(),
        subject: "Your password was changed".into(),
        text: format!(
            "The password of your account at Firn was changed. All other sessions have ended, and login providers that were linked \
             are not any more.\n\n\
             If it was not you, choose a new one at once: {base}/reset\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_on_one_line_and_no_link() {
        let name = "Engines\"\r\n\r\nPay at https://evil.example\u{2028}\u{202e}now";
        let mail = invitation(&"https://firn.example/".parse().unwrap(), "a@b.c", name, "T");
        let links: Vec<_> = mail.text.match_indices("://").collect();
        assert_eq!(links.len(), 1, "the own one: {}", mail.text);
        assert!(
            mail.text
                .contains("\"Engines\"Pay at https evil.examplenow\" on Firn")
        );
    }

    #[test]
    fn the_link_and_the_bare_token_are_in_the_text() {
        for base in ["https://firn.example/", "https://firn.example"] {
            let mail = verification(&base.parse().unwrap(), "a@b.c", "TOKEN");
            assert!(
                mail.text
                    .contains("    https://firn.example/verify?token=TOKEN\n")
            );
            assert!(mail.text.contains("    TOKEN\n"));
        }
        let mail = password_reset(&"http://127.0.0.1:8080/".parse().unwrap(), "a@b.c", "T");
        assert!(mail.text.contains("http://127.0.0.1:8080/reset?token=T\n"));
    }
}

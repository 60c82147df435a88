//! URLs as logs and pages may show them.

/// `text` without the passwords of a URL in it; what is no URL stays as it is.
pub fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    // Database URLs may carry passwords as parameters, too: only the names stay.
    let path = match path.split_once('?') {
        Some((path, parameters)) => {
            let names = parameters
                .split('&')
                .filter_map(|parameter| parameter.split('=').next());
            let hidden: Vec<_> = names.map(|name| format!("{name}=***")).collect();
            format!("{path}?{}", hidden.join("&"))
        }
        None => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn a_password_is_never_shown_and_the_rest_is() {
        for (url, shown) in [
            ("postgres://me:secret@host:1/db", "postgres://me:***@host:1/db"),
            ("postgres://me:se@cret@host/db", "postgres://me:***@host/db"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            (
                "postgres://host/db?user=me&password=x",
                "postgres://host/db?user=***&password=***",
            ),
            ("sqlite:///a/b@c", "sqlite:///a/b@c"),
            ("s3://bucket/prefix", "s3://bucket/prefix"),
            ("nothing like a URL", "nothing like a URL"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }
}

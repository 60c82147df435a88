//! What the usage API says.

use std::time::Duration;

use serde_json::Value;

use crate::support::rest::Tenant;
use crate::support::wait_for;

/// How long counts may take until they are told: ten seconds, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(40);

/// What one principal used in one cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of record batches appended.
    pub produced_bytes: usize,
    /// Bytes of record batches fetched.
    pub fetched_bytes: usize,
    /// Requests answered.
    pub requests: usize,
    /// Bytes of request frames.
    pub bytes_in: usize,
    /// Bytes of response frames.
    pub bytes_out: usize,
}

impl Counts {
    fn add(&mut self, item: &Value) {
        let number = |name: &str| usize::try_from(item[name].as_u64().unwrap()).unwrap();
        self.produced_bytes += number("produced_bytes");
        self.fetched_bytes += number("fetched_bytes");
        self.requests += number("requests");
        self.bytes_in += number("bytes_in");
        self.bytes_out += number("bytes_out");
    }
}

/// Every item of the list, of minutes, that this query selects.
fn items(tenant: &Tenant, query: &str) -> Vec<Value> {
    let path = format!(
        "/v1/organizations/{}/usage?granularity=minute&page_size=200&{query}",
        tenant.organization
    );
    let (mut items, mut next) = (Vec::new(), path.clone());
    loop {
        let page = tenant.see(&next);
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return items,
        }
    }
}

/// What this principal has used in the tenant's cluster.
pub fn of(tenant: &Tenant, principal: &str) -> Counts {
    let mut counts = Counts::default();
    let query = format!(
        "cluster={}&principal={principal}&group_by=cluster,principal",
        tenant.cluster
    );
    for item in items(tenant, &query) {
        assert_eq!(item["principal"], principal);
        assert_eq!(item["cluster"], tenant.cluster.as_str());
        counts.add(&item);
    }
    counts
}

/// The same, once it is so far; what it is in the end, otherwise.
pub fn settled(tenant: &Tenant, principal: &str, enough: impl Fn(&Counts) -> bool) -> Counts {
    let found = wait_for(PATIENCE, || {
        std::thread::sleep(Duration::from_millis(300));
        let counts = of(tenant, principal);
        enough(&counts).then_some(counts)
    });
    found.unwrap_or_else(|| of(tenant, principal))
}

/// Fails the test unless the CSV has the numbers of the list, line by line.
pub fn csv_says_the_same(tenant: &Tenant) {
    // What has ended is not added to any more.
    let query = "group_by=cluster,principal";
    let path = format!(
        "/v1/organizations/{}/usage?granularity=minute&{query}",
        tenant.organization
    );
    let same = wait_for(PATIENCE, || {
        let listed = items(tenant, query);
        let csv = tenant.rest().get(&format!("{path}&format=csv")).expect(200);
        assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
        let mut lines = csv.body.lines();
        let names: Vec<_> = lines.next().unwrap().split(',').collect();
        let lines: Vec<Vec<_>> = lines.map(|line| line.split(',').collect()).collect();
        let equal = lines.len() == listed.len()
            && lines.iter().zip(&listed).all(|(line, item)| {
                let cells = names.iter().zip(line);
                cells.into_iter().all(|(name, cell)| match &item[*name] {
                    Value::String(text) => text == cell,
                    Value::Number(number) => number.as_f64() == cell.parse().ok(),
                    _ => cell.is_empty(),
                })
            });
        equal.then_some(())
    });
    assert!(same.is_some(), "the CSV says something else than the list");
}

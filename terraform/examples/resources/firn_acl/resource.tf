resource "firn_acl" "checkout_writes" {
  cluster       = firn_cluster.orders.id
  principal     = firn_service_account.checkout.principal
  resource_type = "topic"
  resource_name = "orders."
  pattern_type  = "prefixed"
  operation     = "write"
}

# Many at once, as sentences, under names that are known before the service account is made.
locals {
  acls = {
    read_prices    = "allow ${firn_service_account.checkout.principal} read topic:prices"
    join_groups    = "allow ${firn_service_account.checkout.principal} read group:checkout*"
    nobody_deletes = "deny User:* delete topic:*"
  }
}

resource "firn_acl" "all" {
  for_each      = { for name, text in local.acls : name => provider::firn::parse_acl(text) }
  cluster       = firn_cluster.orders.id
  permission    = each.value.permission
  principal     = each.value.principal
  operation     = each.value.operation
  resource_type = each.value.resource_type
  resource_name = each.value.resource_name
  pattern_type  = each.value.pattern_type
  host          = each.value.host
}

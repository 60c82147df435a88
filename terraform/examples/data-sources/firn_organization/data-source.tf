data "firn_organization" "ours" {}

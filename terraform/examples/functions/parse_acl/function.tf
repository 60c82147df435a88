locals {
  acl = provider::firn::parse_acl("allow User:sa_abcdefghijklmnopqrstuvwxyz read topic:orders.*")
}

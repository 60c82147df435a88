data "firn_role_binding" "checkout" {
  organization = data.firn_organization.ours.id
  id           = "rol_abcdefghijklmnopqrstuvwxyz"
}

data "firn_invitation" "grace" {
  organization = data.firn_organization.ours.id
  email        = "grace@example.com"
}

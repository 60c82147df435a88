resource "firn_invitation" "grace" {
  email = "grace@example.com"
  role  = "developer"
}

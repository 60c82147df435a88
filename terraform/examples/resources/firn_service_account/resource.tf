resource "firn_service_account" "checkout" {
  project     = firn_project.shop.id
  name        = "checkout"
  description = "Writes orders."
}

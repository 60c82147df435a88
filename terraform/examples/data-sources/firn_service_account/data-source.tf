data "firn_service_account" "checkout" {
  project = data.firn_project.shop.id
  name    = "checkout"
}

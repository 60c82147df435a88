resource "firn_project" "shop" {
  name = "shop"
}

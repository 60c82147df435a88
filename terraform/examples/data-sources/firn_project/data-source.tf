data "firn_project" "shop" {
  name = "shop"
}

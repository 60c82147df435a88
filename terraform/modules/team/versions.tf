terraform {
  required_version = ">= 1.11"

  required_providers {
    firn = {
      source = "firn/firn"
    }
  }
}

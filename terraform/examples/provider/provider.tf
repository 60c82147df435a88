terraform {
  required_version = ">= 1.11"
  required_providers {
    firn = {
      source = "firn/firn"
    }
  }
}

# The API key comes from the variable FIRN_API_KEY.
provider "firn" {
  endpoint = "https://api.firn.example"
}

# A cluster, a topic, and a program that may write it and read it: nothing else. The password is in no plan and in no state.
terraform {
  required_version = ">= 1.11"
  required_providers {
    firn = {
      source = "firn/firn"
    }
  }
}

# FIRN_ENDPOINT and FIRN_API_KEY say where, and who.
provider "firn" {}

variable "project" {
  type        = string
  description = "The id of the project, prj_…"
}

variable "password" {
  type        = string
  ephemeral   = true
  sensitive   = true
  description = "The program's password: at least 16 random characters. Only the run that makes the credential reads it."
}

resource "firn_cluster" "orders" {
  project             = var.project
  name                = "orders"
  deletion_protection = false
}

resource "firn_topic" "orders" {
  cluster             = firn_cluster.orders.id
  name                = "orders"
  partitions          = 3
  configs             = { "retention.ms" = "86400000" }
  deletion_protection = false
}

resource "firn_service_account" "checkout" {
  project = var.project
  name    = "checkout"
}

resource "firn_scram_credential" "checkout" {
  cluster             = firn_cluster.orders.id
  service_account     = firn_service_account.checkout.id
  password_wo         = var.password
  password_wo_version = 1
}

locals {
  acls = [for may in ["write topic:orders", "read topic:orders", "read group:checkout*"] : provider::firn::parse_acl("allow User:_ ${may}")]
}

resource "firn_acl" "checkout" {
  for_each      = { for acl in local.acls : "${acl.operation} ${acl.resource_type}" => acl }
  cluster       = firn_cluster.orders.id
  principal     = firn_service_account.checkout.principal
  operation     = each.value.operation
  resource_type = each.value.resource_type
  resource_name = each.value.resource_name
  pattern_type  = each.value.pattern_type
}

output "bootstrap" {
  value = firn_cluster.orders.bootstrap
}

output "username" {
  value = firn_scram_credential.checkout.username
}

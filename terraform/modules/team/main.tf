# A team and what it works with: a project, a cluster, topics, and programs with rights to just what they use.

locals {
  # What each program needs in Kafka, one line for each right. A name that ends with * stands for all that begin so.
  rights = flatten([
    for name, program in var.programs : concat(
      [for topic in program.produces : { program = name, type = "topic", pattern = topic, operation = "write" }],
      [for topic in program.consumes : { program = name, type = "topic", pattern = topic, operation = "read" }],
      length(program.consumes) == 0 ? [] : [
        for group in setunion(program.groups, ["${name}*"]) : { program = name, type = "group", pattern = group, operation = "read" }
      ],
      program.transactional ? [{ program = name, type = "transactional_id", pattern = "${name}*", operation = "write" }] : [],
    )
  ])
  # Each password of a program is a credential of its own, so that two of them hold while the program changes over.
  credentials = flatten([for name, program in var.programs : [for version in program.password_versions : { program = name, version = version }]])

  acls = { for right in local.rights : "${right.program} ${right.operation} ${right.type} ${right.pattern}" => right }
}

resource "firn_project" "this" {
  organization = var.organization
  name         = var.name
}

resource "firn_cluster" "this" {
  project             = firn_project.this.id
  name                = coalesce(var.cluster.name, var.name)
  slug                = var.cluster.slug
  limits              = var.cluster.limits
  deletion_protection = var.cluster.deletion_protection
}

resource "firn_topic" "this" {
  for_each = var.topics

  cluster             = firn_cluster.this.id
  name                = each.key
  partitions          = each.value.partitions
  configs             = each.value.configs
  deletion_protection = each.value.deletion_protection
}

resource "firn_service_account" "this" {
  for_each = var.programs

  project     = firn_project.this.id
  name        = each.key
  description = each.value.description
}

resource "firn_acl" "this" {
  for_each = local.acls

  cluster       = firn_cluster.this.id
  principal     = firn_service_account.this[each.value.program].principal
  resource_type = each.value.type
  resource_name = trimsuffix(each.value.pattern, "*")
  pattern_type  = endswith(each.value.pattern, "*") ? "prefixed" : "literal"
  operation     = each.value.operation
}

resource "firn_scram_credential" "this" {
  for_each = { for credential in local.credentials : "${credential.program} ${credential.version}" => credential }

  cluster             = firn_cluster.this.id
  service_account     = firn_service_account.this[each.value.program].id
  password_wo         = var.passwords[each.value.program][each.value.version]
  password_wo_version = each.value.version
}

resource "firn_quota" "program" {
  for_each = { for name, program in var.programs : name => program.quota if program.quota != null }

  cluster            = firn_cluster.this.id
  user               = firn_service_account.this[each.key].id
  producer_byte_rate = each.value.producer_byte_rate
  consumer_byte_rate = each.value.consumer_byte_rate
  request_percentage = each.value.request_percentage
}

resource "firn_quota" "default" {
  count = var.default_quota == null ? 0 : 1

  cluster            = firn_cluster.this.id
  user               = "<default>"
  producer_byte_rate = var.default_quota.producer_byte_rate
  consumer_byte_rate = var.default_quota.consumer_byte_rate
  request_percentage = var.default_quota.request_percentage
}

resource "firn_role_binding" "member" {
  for_each = var.members

  organization = firn_project.this.organization
  principal    = each.key
  role         = each.value
  scope        = firn_project.this.id
}

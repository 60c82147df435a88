mock_provider "firn" {
  mock_resource "firn_project" {
    defaults = { id = "prj_aaaaaaaaaaaaaaaaaaaaaaaaaa", organization = "org_aaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }

  mock_resource "firn_cluster" {
    defaults = { id = "clu_aaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }

  mock_resource "firn_service_account" {
    defaults = { id = "sa_aaaaaaaaaaaaaaaaaaaaaaaaaa", principal = "User:sa_aaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
}

variables {
  name = "shop"
  topics = {
    orders            = { partitions = 12, configs = { "retention.ms" = "604800000" } }
    "invoices.drafts" = { deletion_protection = false }
  }
  programs = {
    checkout = { produces = ["orders"], transactional = true, password_versions = [1] }
    billing = {
      consumes = ["orders"]
      produces = ["invoices.*"]
      groups   = ["nightly"]
      quota    = { consumer_byte_rate = 10485760 }
    }
    idle = {}
  }
  passwords = { checkout = { 1 = "never-in-a-plan-0123456789", 2 = "nor-in-a-state-0123456789" } }
}

run "programs_get_what_they_use_and_no_more" {
  command = plan

  assert {
    condition = { for name, acl in firn_acl.this : name => "${acl.resource_type} ${acl.pattern_type} ${acl.resource_name} ${acl.operation}" } == {
      "checkout write topic orders"               = "topic literal orders write"
      "checkout write transactional_id checkout*" = "transactional_id prefixed checkout write"
      "billing read topic orders"                 = "topic literal orders read"
      "billing write topic invoices.*"            = "topic prefixed invoices. write"
      "billing read group billing*"               = "group prefixed billing read"
      "billing read group nightly"                = "group literal nightly read"
    }
    error_message = "The rights are others: ${jsonencode(keys(firn_acl.this))}."
  }

  assert {
    condition     = keys(firn_service_account.this) == ["billing", "checkout", "idle"] && keys(firn_scram_credential.this) == ["checkout 1"]
    error_message = "Each program has an account, and those with a password a credential."
  }

  assert {
    condition     = keys(firn_quota.program) == ["billing"] && length(firn_quota.default) == 0
    error_message = "Quotas are only those that are given."
  }
}

run "what_it_makes_is_protected_unless_told_otherwise" {
  command = apply

  assert {
    condition     = firn_cluster.this.deletion_protection && firn_topic.this["orders"].deletion_protection && !firn_topic.this["invoices.drafts"].deletion_protection
    error_message = "Clusters and topics must be protected by themselves."
  }

  assert {
    condition     = firn_scram_credential.this["checkout 1"].password_wo == null
    error_message = "The password is in the state."
  }

  assert {
    condition     = firn_cluster.this.name == "shop" && output.cluster_id == firn_cluster.this.id && length(output.programs["idle"].usernames) == 0
    error_message = "The outputs are others."
  }
}

run "two_passwords_hold_while_a_program_changes_over" {
  command = apply

  variables {
    programs = { checkout = { produces = ["orders"], password_versions = [1, 2] } }
  }

  assert {
    condition     = keys(firn_scram_credential.this) == ["checkout 1", "checkout 2"]
    error_message = "Each version is a credential."
  }

  assert {
    condition     = keys(output.programs["checkout"].usernames) == ["1", "2"] && firn_scram_credential.this["checkout 2"].password_wo_version == 2
    error_message = "Each version has a user name."
  }
}

run "more_passwords_than_a_change_needs" {
  command = plan

  variables {
    programs = { checkout = { password_versions = [1, 2, 3] } }
  }

  expect_failures = [var.programs]
}

run "everybody_else_and_members" {
  command = plan

  variables {
    default_quota = { producer_byte_rate = 1048576 }
    members       = { per_aaaaaaaaaaaaaaaaaaaaaaaaaa = "developer" }
    cluster       = { name = "production", slug = "shop-eu", limits = { partitions = 100 } }
  }

  assert {
    condition     = firn_quota.default[0].user == "<default>" && firn_role_binding.member["per_aaaaaaaaaaaaaaaaaaaaaaaaaa"].role == "developer" && firn_cluster.this.slug == "shop-eu" && firn_cluster.this.limits.partitions == 100
    error_message = "They are not what was asked for."
  }
}

run "programs_that_are_wrong_are_refused" {
  command = plan

  variables {
    programs = { "Check Out" = { quota = { producer_byte_rate = 0 }, transactional = true } }
  }

  expect_failures = [var.programs]
}

run "a_quota_of_nothing" {
  command = plan

  variables {
    programs = { checkout = { quota = {} } }
  }

  expect_failures = [var.programs]
}

run "a_topic_that_there_is_not" {
  command = plan

  variables {
    programs = { checkout = { produces = ["order"] } }
  }

  expect_failures = [var.programs]
}

run "everything_is_too_much" {
  command = plan

  variables {
    programs = { checkout = { consumes = ["*"] } }
  }

  expect_failures = [var.programs]
}

run "groups_of_a_program_that_consumes_nothing" {
  command = plan

  variables {
    programs = { checkout = { groups = ["nightly"] } }
  }

  expect_failures = [var.programs]
}

run "topics_that_metrics_cannot_tell_apart" {
  command = plan

  variables {
    topics   = { "a.b" = {}, "a_b" = {} }
    programs = {}
  }

  expect_failures = [var.topics]
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name          = "Shop!"
    cluster       = { slug = "-shop", limits = { topics = 0 } }
    topics        = { "__audit" = {}, "half" = { partitions = 1.5 } }
    programs      = {}
    members       = { "ada@example.com" = "owner" }
    default_quota = {}
  }

  expect_failures = [var.name, var.cluster, var.topics, var.members, var.default_quota]
}

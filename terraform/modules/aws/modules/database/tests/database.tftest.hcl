mock_provider "aws" {}

variables {
  name                   = "firn"
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2"]
  kms_key_arn            = "arn:aws:kms:eu-central-1:000000000000:key/cell"
  password               = "never-in-a-plan"
  password_version       = 3
  client_security_groups = { broker = "sg-broker", control = "sg-control" }
}

run "it_keeps_what_it_commits" {
  command = apply

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "It needs a standby and encryption, and no public address."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.backup_retention_period == 7
    error_message = "It must not go without a trace."
  }

  assert {
    condition     = aws_db_instance.this.password_wo == null && aws_db_instance.this.password_wo_version == 3
    error_message = "The password must not be in the state, and its version must."
  }

  assert {
    condition     = jsonencode({ for name, rule in aws_vpc_security_group_ingress_rule.clients : name => rule.referenced_security_group_id }) == jsonencode(var.client_security_groups)
    error_message = "Brokers and control planes reach it, and nobody else."
  }

  assert {
    condition     = one(aws_db_parameter_group.this.parameter).name == "rds.force_ssl" && strcontains(output.url_without_password, "?sslmode=verify-full&sslrootcert=")
    error_message = "It must be spoken to by TLS, and be who it says."
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "The family is another version's."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    engine_version        = "9.6"
    backup_retention_days = 0
    storage_gib           = { initial = 50, maximum = 20 }
  }

  expect_failures = [var.engine_version, var.backup_retention_days, var.storage_gib]
}

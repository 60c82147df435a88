mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:000000000000:log-group:/firn/test" }
  }
}

variables {
  name              = "firn-broker-0"
  role              = "broker"
  settings          = { "node" = "0" }
  catalog_url       = "postgres://firn:%s@db:5432/firn"
  secrets           = { database_password = "arn:1", master_key = "arn:2", kafka_certificate = "arn:3" }
  binary            = { bucket = "programs", key = "firn", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  instance_type     = "c7i.large"
  instances         = 1
  replace_first     = false
  disk_gib          = 70
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1"]
  target_group_arns = []
  kms_key_arn       = "arn:aws:kms:eu-central-1:000000000000:key/cell"
}

run "machines_are_closed" {
  command = apply

  assert {
    condition = (
      aws_launch_template.this.metadata_options[0].http_tokens == "required" &&
      aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "Credentials of the machine must be had with a token only, and from the machine itself."
  }

  assert {
    condition     = alltrue([for mapping in aws_launch_template.this.block_device_mappings : mapping.ebs[0].encrypted == "true"])
    error_message = "The disk must be encrypted."
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.session_manager) == 0
    error_message = "Nobody gets a shell unless it is asked for."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "Secrets"
    ])) == toset(["arn:1", "arn:2", "arn:3"])
    error_message = "A machine reads its own secrets, and no others."
  }

  assert {
    condition     = alltrue(flatten([for statement in jsondecode(output.policy).Statement : [for resource in statement.Resource : resource != "*"]]))
    error_message = "No right is on everything."
  }

  assert {
    condition     = length(aws_launch_template.this.user_data) < 16384
    error_message = "AWS takes 16 KiB of user data."
  }
}

run "a_number_is_one_machines_at_a_time" {
  command = plan

  assert {
    condition = (
      aws_autoscaling_group.this.min_size == 1 && aws_autoscaling_group.this.max_size == 1 &&
      aws_autoscaling_group.this.instance_refresh[0].preferences[0].min_healthy_percentage == 0 &&
      aws_autoscaling_group.this.instance_refresh[0].preferences[0].max_healthy_percentage == 100
    )
    error_message = "Two brokers with one number would take over from each other."
  }

  assert {
    condition     = strcontains(output.cloud_config, "RestartPreventExitStatus=2 3")
    error_message = "A broker that was taken over from must not start again."
  }
}

run "what_the_machine_sets_itself_is_refused_as_a_setting" {
  command = plan

  variables {
    role     = "worker"
    settings = { "smtp-url" = "smtp://user:password@mail" }
    binary   = { bucket = "programs", key = "firn", sha256 = "latest" }
  }

  expect_failures = [var.role, var.settings, var.binary]
}

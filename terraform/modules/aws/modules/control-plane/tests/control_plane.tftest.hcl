mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name                     = "firn"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1"]
  load_balancer_subnet_ids = ["subnet-2", "subnet-3"]
  load_balancer_cidrs      = ["10.20.0.0/20", "10.20.16.0/20"]
  certificate_arn          = "arn:aws:acm:eu-central-1:000000000000:certificate/api"
  api_domain               = "firn.example.com"
  kafka_domain             = "kafka.example.com"
  mail_from                = "Firn <firn@example.com>"
  catalog_url              = "postgres://firn:%s@db:5432/firn"
  secrets                  = { database_password = "arn:1", master_key = "arn:2", smtp_url = "arn:3" }
  kms_key_arn              = "arn:aws:kms:eu-central-1:000000000000:key/cell"
  binary                   = { bucket = "programs", key = "firn", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  image_parameter          = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

run "clients_are_told_apart" {
  command = apply

  assert {
    condition     = aws_lb.api.xff_header_processing_mode == "append" && aws_lb.api.drop_invalid_header_fields
    error_message = "firn reads the client's address from X-Forwarded-For, to which the load balancer must append it."
  }

  assert {
    condition     = strcontains(output.cloud_config, "trusted-proxies = \\\"10.20.0.0/20,10.20.16.0/20\\\"") && strcontains(output.cloud_config, "public-url = \\\"https://firn.example.com\\\"")
    error_message = "The load balancer's addresses and the public URL must be known."
  }
}

run "https_only_and_no_figures" {
  command = apply

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-1-2")
    error_message = "TLS 1.2 and 1.3 only."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.from_port == 443 && rule.to_port == 443])
    error_message = "Clients get HTTPS, and nothing else."
  }

  assert {
    condition     = anytrue([for condition in aws_lb_listener_rule.no_metrics.condition : contains(condition.path_pattern[0].values, "/metrics")])
    error_message = "/metrics must not be answered to the world."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    client_networks = ["::/0"]
    instances       = 0
  }

  expect_failures = [var.client_networks, var.instances]
}

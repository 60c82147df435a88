mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name                     = "firn"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1"]
  load_balancer_subnet_ids = ["subnet-2"]
  control_security_groups  = { control = "sg-control" }
  kafka_domain             = "kafka.example.com"
  bucket                   = "records"
  catalog_url              = "postgres://firn:%s@db:5432/firn"
  catalog_backup_days      = 7
  secrets                  = { database_password = "arn:1", master_key = "arn:2", kafka_certificate = "arn:3" }
  kms_key_arn              = "arn:aws:kms:eu-central-1:000000000000:key/cell"
  binary                   = { bucket = "programs", key = "firn", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  image_parameter          = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

run "tls_is_the_brokers_own" {
  command = apply

  assert {
    condition     = aws_lb_listener.kafka.protocol == "TCP" && aws_lb_target_group.kafka.protocol == "TCP"
    error_message = "A load balancer that ends TLS hides which cluster is meant, and certificates of clients."
  }

  assert {
    condition     = aws_lb_target_group.kafka.preserve_client_ip == "true" && !aws_lb_target_group.kafka.proxy_protocol_v2
    error_message = "The broker must see its clients' own addresses; it does not speak the proxy protocol."
  }

  assert {
    condition     = aws_lb_target_group.kafka.health_check[0].path == "/readyz" && aws_lb_target_group.kafka.health_check[0].port == "8080"
    error_message = "Health is asked elsewhere."
  }
}

run "only_the_kafka_port_is_open" {
  command = apply

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients : rule.from_port == 9092 && rule.to_port == 9092])
    error_message = "Clients get Kafka, and nothing else."
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.from_control : name => [rule.from_port, rule.referenced_security_group_id] } == { control = [9094, "sg-control"] }
    error_message = "The internal listener is the control plane's."
  }
}

# To whoever may not list a bucket, S3 answers 403 for an object that is not there; a condition on prefixes does that as well.
run "absent_objects_are_known_to_be_absent" {
  command = apply

  assert {
    condition = anytrue([
      for statement in jsondecode(output.policy).Statement :
      statement.Action == ["s3:ListBucket"] && statement.Resource == ["arn:aws:s3:::records"] && !can(statement.Condition)
    ])
    error_message = "The broker must be allowed to list the bucket, without a condition."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    client_networks = ["somewhere"]
    kafka_port      = 9094
    bucket_prefix   = "/cell/"
    cache_gib       = 0
  }

  expect_failures = [var.client_networks, var.kafka_port, var.bucket_prefix, var.cache_gib]
}

# The cell's broker, number 0, behind a load balancer that hands TLS through untouched: the broker itself ends it, because the name in the
# handshake says which cluster is meant, and because clients may show certificates.
#
# It is one machine. Its log and all records are in S3, its catalog in PostgreSQL, so another machine that takes its number goes on where it
# stopped; the group starts one when it fails. Several brokers that share a cell are not there yet.

locals {
  ports = { kafka = var.kafka_port, http = 8080, internal = 9094 }
}

resource "aws_security_group" "load_balancer" {
  name_prefix = "${var.name}-kafka-"
  description = "Kafka clients"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-kafka" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_networks

  security_group_id = aws_security_group.load_balancer.id
  description       = "Kafka from clients"
  ip_protocol       = "tcp"
  from_port         = local.ports.kafka
  to_port           = local.ports.kafka
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_egress_rule" "to_broker" {
  for_each = { kafka = local.ports.kafka, health = local.ports.http }

  security_group_id            = aws_security_group.load_balancer.id
  description                  = "To the broker: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = module.machine.security_group_id
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  for_each = { kafka = local.ports.kafka, health = local.ports.http }

  security_group_id            = module.machine.security_group_id
  description                  = "From the load balancer: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.load_balancer.id
}

# Not encrypted, so from nobody else.
resource "aws_vpc_security_group_ingress_rule" "from_control" {
  for_each = var.control_security_groups

  security_group_id            = module.machine.security_group_id
  description                  = "Internal listener, from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.ports.internal
  to_port                      = local.ports.internal
  referenced_security_group_id = each.value
}

resource "aws_lb" "kafka" {
  name                             = "${var.name}-kafka"
  load_balancer_type               = "network"
  internal                         = var.internal
  subnets                          = var.load_balancer_subnet_ids
  security_groups                  = [aws_security_group.load_balancer.id]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
}

# The broker sees its clients' own addresses, which networks and limits go by.
resource "aws_lb_target_group" "kafka" {
  name                   = "${var.name}-kafka"
  port                   = local.ports.kafka
  protocol               = "TCP"
  target_type            = "instance"
  vpc_id                 = var.vpc_id
  preserve_client_ip     = "true"
  proxy_protocol_v2      = false
  deregistration_delay   = "30"
  connection_termination = true

  health_check {
    protocol            = "HTTP"
    port                = tostring(local.ports.http)
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "kafka" {
  load_balancer_arn = aws_lb.kafka.arn
  port              = local.ports.kafka
  protocol          = "TCP"
  # Longer than firn's own connections.max.idle.ms (10 min), so that the side which knows why ends a connection.
  tcp_idle_timeout_seconds = 900

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.kafka.arn
  }
}

module "machine" {
  source = "../machine"

  name            = "${var.name}-broker-0"
  role            = "broker"
  instances       = 1
  replace_first   = false
  instance_type   = var.instance_type
  image_parameter = var.image_parameter
  disk_gib        = var.cache_gib + 20

  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  target_group_arns  = [aws_lb_target_group.kafka.arn]
  kms_key_arn        = var.kms_key_arn
  log_retention_days = var.log_retention_days
  session_manager    = var.session_manager

  binary         = var.binary
  catalog_url    = var.catalog_url
  secrets        = var.secrets
  kafka_settings = var.kafka_settings
  settings = merge(
    {
      "node"           = "0"
      "store"          = "s3://${var.bucket}/${var.bucket_prefix}"
      "wal"            = "object"
      "kafka-address"  = "0.0.0.0:${local.ports.kafka}"
      "advertise"      = "${var.kafka_domain}:${var.kafka_port}"
      "cell-domain"    = var.kafka_domain
      "internal"       = "0.0.0.0:${local.ports.internal}"
      "http"           = "0.0.0.0:${local.ports.http}"
      "hot-disk-bytes" = "${var.cache_gib}GiB"
      # Longer than the age of the oldest backup of the catalog, which may name them.
      "gc-grace" = "${var.catalog_backup_days + 1}d"
    },
    var.settings,
  )

  policy_statements = [
    {
      Sid      = "Records"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = ["arn:aws:s3:::${var.bucket}/${var.bucket_prefix}/*"]
    },
    # The whole bucket, without a condition on prefixes: to whoever may not list it, S3 answers 403 for an object that is not there, and a
    # broker must see 404 to know where a log ends.
    {
      Sid      = "KnowAbsence"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = ["arn:aws:s3:::${var.bucket}"]
    },
    {
      Sid      = "EncryptRecords"
      Effect   = "Allow"
      Action   = ["kms:GenerateDataKey"]
      Resource = [var.kms_key_arn]
    },
  ]
}

# Console and API: `firn control` on machines that keep nothing, behind a load balancer that ends TLS.

locals {
  port = 8080
}

resource "aws_security_group" "load_balancer" {
  name_prefix = "${var.name}-api-"
  description = "People and programs"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-api" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_networks

  security_group_id = aws_security_group.load_balancer.id
  description       = "HTTPS from people and programs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_egress_rule" "to_control" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "To firn control"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  referenced_security_group_id = module.machine.security_group_id
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = module.machine.security_group_id
  description                  = "From the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  referenced_security_group_id = aws_security_group.load_balancer.id
}

# It appends the client's address to X-Forwarded-For, and firn believes the last one that is none of trusted-proxies.
resource "aws_lb" "api" {
  name                       = "${var.name}-api"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.load_balancer_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  xff_header_processing_mode = "append"
  # Longer than an answer that waits for an operation, or for the next record of a live tail.
  idle_timeout               = 120
  enable_deletion_protection = var.deletion_protection
}

resource "aws_lb_target_group" "api" {
  name                 = "${var.name}-api"
  port                 = local.port
  protocol             = "HTTP"
  target_type          = "instance"
  vpc_id               = var.vpc_id
  deregistration_delay = "45"

  health_check {
    protocol            = "HTTP"
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.api.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}

# Figures of the service are its operators' business.
resource "aws_lb_listener_rule" "no_metrics" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/metrics", "/metrics/*"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "not here"
      status_code  = "404"
    }
  }
}

module "machine" {
  source = "../machine"

  name            = "${var.name}-control"
  role            = "control"
  instances       = var.instances
  replace_first   = true
  instance_type   = var.instance_type
  image_parameter = var.image_parameter
  disk_gib        = 20

  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  target_group_arns  = [aws_lb_target_group.api.arn]
  kms_key_arn        = var.kms_key_arn
  log_retention_days = var.log_retention_days
  session_manager    = var.session_manager

  binary      = var.binary
  catalog_url = var.catalog_url
  secrets     = var.secrets
  settings = merge(
    {
      "http"            = "0.0.0.0:${local.port}"
      "public-url"      = "https://${var.api_domain}"
      "trusted-proxies" = join(",", var.load_balancer_cidrs)
      "advertise"       = "${var.kafka_domain}:${var.kafka_port}"
      "cell-domain"     = var.kafka_domain
      "mail-from"       = var.mail_from
    },
    var.settings,
  )
}

# Names: console and API, and one wildcard for {slug}.DOMAIN and {slug}-b0.DOMAIN of every cluster. And the API's certificate.

resource "aws_acm_certificate" "api" {
  domain_name       = var.api_domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  # One name, so one record, under a key that is known before the certificate is.
  for_each = toset([var.api_domain])

  zone_id         = var.zone_id
  name            = one(aws_acm_certificate.api.domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.api.domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.api.domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "api" {
  certificate_arn         = aws_acm_certificate.api.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_record" "api" {
  zone_id = var.zone_id
  name    = var.api_domain
  type    = "A"

  alias {
    name                   = var.api_load_balancer.dns_name
    zone_id                = var.api_load_balancer.zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "kafka" {
  for_each = toset([var.kafka_domain, "*.${var.kafka_domain}"])

  zone_id = var.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = var.kafka_load_balancer.dns_name
    zone_id                = var.kafka_load_balancer.zone_id
    evaluate_target_health = false
  }
}

mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      domain_validation_options = [{
        domain_name           = "firn.example.com"
        resource_record_name  = "_a.firn.example.com"
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws"
      }]
    }
  }
}

variables {
  zone_id             = "Z0123456789"
  api_domain          = "firn.example.com"
  kafka_domain        = "kafka.example.com"
  api_load_balancer   = { dns_name = "api.elb.example", zone_id = "ZAPI" }
  kafka_load_balancer = { dns_name = "kafka.elb.example", zone_id = "ZKAFKA" }
}

run "every_cluster_has_a_name" {
  command = apply

  assert {
    condition     = { for name, record in aws_route53_record.kafka : name => record.alias[0].name } == { "kafka.example.com" = "kafka.elb.example", "*.kafka.example.com" = "kafka.elb.example" }
    error_message = "{slug}.kafka.example.com and {slug}-b0.kafka.example.com must lead to the broker."
  }

  assert {
    condition     = aws_route53_record.validation["firn.example.com"].name == "_a.firn.example.com"
    error_message = "The certificate is proven by another record."
  }
}

// Package acceptance has the tests that run a real Terraform or OpenTofu against a real `firn dev`. They run with TF_ACC=1;
// scripts/terraform-tests sets what they need.
package acceptance

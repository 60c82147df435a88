import {
  to = firn_role_binding.checkout
  id = "org_abcdefghijklmnopqrstuvwxyz/rol_abcdefghijklmnopqrstuvwxyz"
}

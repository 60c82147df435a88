import {
  to = firn_invitation.grace
  id = "org_abcdefghijklmnopqrstuvwxyz/inv_abcdefghijklmnopqrstuvwxyz"
}

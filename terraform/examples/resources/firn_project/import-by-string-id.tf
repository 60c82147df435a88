import {
  to = firn_project.shop
  id = "prj_abcdefghijklmnopqrstuvwxyz"
}

# SPDX-License-Identifier: BSD-2-Clause
# find_package(smmuv3) gives smmuv3::smmuv3, and smmuv3::model where the model is installed.
find_package(PkgConfig REQUIRED)
pkg_check_modules(smmuv3 REQUIRED IMPORTED_TARGET GLOBAL libsmmuv3)
add_library(smmuv3::smmuv3 ALIAS PkgConfig::smmuv3)
pkg_check_modules(smmuv3_model IMPORTED_TARGET GLOBAL libsmmuv3-model)
if(smmuv3_model_FOUND)
  add_library(smmuv3::model ALIAS PkgConfig::smmuv3_model)
endif()

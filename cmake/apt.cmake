# Installing Debian packages while configuring, for NEN_INSTALL_DEPS. Works before project().

# nen_apt_get(<command> <argument>...): runs apt-get as root without asking anything; its last line
# and status go to nen_apt_output and nen_apt_status.
function(nen_apt_get)
  set(as_root "")
  execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT user STREQUAL "0")
    set(as_root sudo -n)
  endif()
  execute_process(
    COMMAND ${as_root} env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300
            ${ARGN}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+$" "" output "${output}")
  string(REGEX REPLACE "[^\n]*\n" "" output "${output}")
  if(output STREQUAL "")
    list(JOIN as_root " " as_root)
    set(output "${as_root} apt-get: ${status}")
  endif()
  set(nen_apt_status "${status}" PARENT_SCOPE)
  set(nen_apt_output "${output}" PARENT_SCOPE)
endfunction()

# nen_apt_install(<package>...): when it fails, it says what to do by hand; whether that is an error
# is up to whoever needs the packages.
function(nen_apt_install)
  list(JOIN ARGN " " names)
  message(STATUS "apt-get install ${names}")
  nen_apt_get(install --no-install-recommends ${ARGN})
  if(NOT nen_apt_status EQUAL 0)
    message(WARNING "nen could not install what is missing (${nen_apt_output}): run "
                    "\"apt-get install ${names}\" as root and configure again.")
  endif()
endfunction()

# nen_apt_find(<variable>): whether this is a system with apt-get.
function(nen_apt_find variable)
  find_program(NEN_APT_GET apt-get)
  mark_as_advanced(NEN_APT_GET)
  if(NEN_APT_GET)
    set(${variable} TRUE PARENT_SCOPE)
  else()
    set(${variable} FALSE PARENT_SCOPE)
  endif()
endfunction()

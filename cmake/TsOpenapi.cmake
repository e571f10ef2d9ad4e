# ts_openapi(target file.yaml): compiles the file into `target`, as it is and as JSON. The target's sources then
# `#include "<name>.h"`, which declares <name>_yaml and <name>_json, NUL-terminated. One source, no second list.
function(ts_openapi target file)
  get_filename_component(name ${file} NAME_WE)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name})
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${name}.c ${out}/${name}.h
    COMMAND yaml2json ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${out}/${name}.c ${out}/${name}.h ${name}
    DEPENDS yaml2json ${CMAKE_CURRENT_SOURCE_DIR}/${file}
    COMMENT "OpenAPI of ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${out}/${name}.c ${out}/${name}.h)
  target_include_directories(${target} PUBLIC ${out})
endfunction()

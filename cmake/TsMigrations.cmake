# ts_migrations(target dir name)
#
# Compiles the scripts dir/{sqlite,postgres}/NNN_name.sql into `target` at build time. The target's sources then
# `#include "<name>_migrations.h"`, which declares <name>_migrations_sqlite and <name>_migrations_postgres (db/migrate.h).
# A dialect without a folder has an empty table. A changed, new or removed script builds again.
set(TS_MIGRATIONS_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/TsMigrationsTable.cmake)

function(ts_migrations target dir name)
  get_filename_component(dir ${dir} ABSOLUTE)
  file(GLOB scripts CONFIGURE_DEPENDS ${dir}/sqlite/*.sql ${dir}/postgres/*.sql)
  if(NOT scripts)
    message(FATAL_ERROR "ts_migrations(${target}): no scripts in ${dir}/sqlite or ${dir}/postgres")
  endif()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/migrations-${name})
  add_custom_command(
    OUTPUT ${out}/${name}_migrations.c ${out}/${name}_migrations.h
    COMMAND ${CMAKE_COMMAND} -DDIR=${dir} -DNAME=${name} -DOUT=${out} -P ${TS_MIGRATIONS_SCRIPT}
    DEPENDS ${scripts} ${TS_MIGRATIONS_SCRIPT}
    COMMENT "Migrations of ${name}"
    VERBATIM)
  target_sources(${target} PRIVATE ${out}/${name}_migrations.c ${out}/${name}_migrations.h)
  target_include_directories(${target} PUBLIC ${out})
endfunction()

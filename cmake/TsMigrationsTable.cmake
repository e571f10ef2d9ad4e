# cmake -DDIR=… -DNAME=… -DOUT=… -P TsMigrationsTable.cmake: writes <NAME>_migrations.c and .h. See TsMigrations.cmake.

# A C string literal for each line, so that the compiler's messages and a debugger show the script as it was written.
function(c_string file ret)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "?" "\\?" text "${text}") # no trigraphs
  string(REPLACE "\n" "\\n\"\n     \"" text "${text}")
  set(${ret} "\"${text}\"" PARENT_SCOPE)
endfunction()

set(source "/* Made from ${NAME}'s migrations by cmake/TsMigrationsTable.cmake. */\n#include \"${NAME}_migrations.h\"\n")
foreach(dialect sqlite postgres)
  file(GLOB scripts ${DIR}/${dialect}/*.sql)
  list(SORT scripts COMPARE NATURAL)
  set(n 0)
  set(items "")
  foreach(script ${scripts})
    math(EXPR n "${n} + 1")
    get_filename_component(stem ${script} NAME_WE)
    if(NOT stem MATCHES "^([0-9][0-9][0-9])_([a-z0-9_]+)$")
      message(FATAL_ERROR "${script}: the name is not NNN_name.sql")
    endif()
    set(title ${CMAKE_MATCH_2})
    string(REGEX REPLACE "^0+" "" number ${CMAKE_MATCH_1})
    if(NOT number EQUAL n)
      message(FATAL_ERROR "${script}: number ${n} is missing before it (or stands twice)")
    endif()
    c_string(${script} text)
    string(APPEND items "    {${n}, \"${title}\",\n     ${text}},\n")
  endforeach()
  if(n EQUAL 0)
    string(APPEND source "\nconst struct ts_migrations ${NAME}_migrations_${dialect} = {NULL, 0};\n")
  else()
    string(APPEND source "\nstatic const struct ts_migration ${dialect}_items[] = {\n${items}};\n"
                         "const struct ts_migrations ${NAME}_migrations_${dialect} = {${dialect}_items, ${n}};\n")
  endif()
endforeach()

string(TOUPPER ${NAME} guard)
file(WRITE ${OUT}/${NAME}_migrations.c "${source}")
file(WRITE ${OUT}/${NAME}_migrations.h
  "#ifndef TS_${guard}_MIGRATIONS_H\n#define TS_${guard}_MIGRATIONS_H\n\n#include \"db/migrate.h\"\n\n"
  "extern const struct ts_migrations ${NAME}_migrations_sqlite;\n"
  "extern const struct ts_migrations ${NAME}_migrations_postgres;\n\n#endif\n")

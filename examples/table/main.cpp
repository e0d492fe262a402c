#include "mtl/core/allocator.hpp"
#include "table/program.hpp"

int main(int argc, char** argv) {
  mtl::tune_allocator();
  return table::run_program(argc, argv);
}

"""Conan 2: MTL_TORCH_DIR=<LibTorch folder> conan create packaging/conan

LibTorch is not among the requirements: mtl links the folder that MTL_TORCH_DIR names (pytorch.org's download, or that of
`pip install torch`, which brings its fmt), or without it the system's, and then the system's fmt.
"""

import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Mtl(ConanFile):
    name = "mtl"
    description = "Multitask learning on LibTorch"
    license = "MIT"
    settings = "os", "compiler", "build_type", "arch"
    options = {"shared": [True, False], "images": [True, False]}
    default_options = {"shared": False, "images": True}

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "../../include/mtl/core/version.hpp"))
        self.version = re.search(r'MTL_VERSION_STRING "(.*)"', header)[1]

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "../..")
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)
        self.requires("nlohmann_json/3.11.3", transitive_headers=True)
        if self.options.images:
            self.requires("libjpeg-turbo/3.0.2")
            self.requires("libpng/1.6.43")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["MTL_TORCH_DIR"] = os.environ.get("MTL_TORCH_DIR", "")
        toolchain.cache_variables["MTL_IMAGES"] = bool(self.options.images)
        toolchain.cache_variables["MTL_BUILD_TESTS"] = False
        toolchain.cache_variables["MTL_BUILD_EXAMPLES"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # The package's own CMake files know LibTorch; Conan's would not.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "mtl")]

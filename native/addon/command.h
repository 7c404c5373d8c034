/* What becomes of a command, for JavaScript; the functions are those of src/linux/native.ts. */
#ifndef ASYNC_TEARDOWN_ADDON_COMMAND_H
#define ASYNC_TEARDOWN_ADDON_COMMAND_H

#include <node_api.h>

napi_value examine_command(napi_env env, napi_callback_info info);
napi_value check_library(napi_env env, napi_callback_info info);
napi_value preload_list(napi_env env, napi_callback_info info);
napi_value asan_options(napi_env env, napi_callback_info info);

#endif

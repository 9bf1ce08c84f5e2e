/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file request.h
 * \brief What MXNet wants done with an operator's output: to overwrite it, or to add to it.
 *
 * lib_api.h has no place for this, so it travels beside the call: complete.cc sets it, then MXNet's dispatcher calls
 * the operator on the same thread, and the operator reads it.
 */
#ifndef GLUONZOO_LIBRARY_REQUEST_H_
#define GLUONZOO_LIBRARY_REQUEST_H_

namespace gluonzoo {

/*! \brief true while the operator that runs on this thread must add to its output */
bool& AddToOutput();

}  // namespace gluonzoo

#endif  // GLUONZOO_LIBRARY_REQUEST_H_

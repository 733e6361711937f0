#ifndef INTAKE_SENSOR_H
#define INTAKE_SENSOR_H

#include "intake/doors.h"

/*
 * A sensor's connection: mutual TLS, then lines. What has come is one entry as soon as nothing else of the
 * connection is on its way to the spool, so that batches are small and quick at rest and large under load.
 * {"ack":n}\n is said only once the spool has committed. A session's bookmark counts its lines; where the
 * spool is lost with a batch in flight, the bookmark says whether it is in. Without a session nobody can say,
 * and the connection is ended.
 */
void sensor_new(struct doors *doors, int fd, uint64_t peer); /* peer: entered in sensor_peers, or 0 */
void sensor_free(struct sensor *sensor);                     /* what is on its way commits without it */
void sensor_resume(struct sensor *sensor);  /* doors or queue have changed: go on if possible */
void sensor_sources(struct sensor *sensor); /* a new source table: is it still one? */
void sensor_drain(struct sensor *sensor);   /* end it as soon as nothing is on its way */

#endif

// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { checkFolder, checkManifest, checkS3, NO_S3, readUrls, s3Source } from './import_source';

describe('addresses', () => {
  it('are read one a line, blank lines and spaces left out', () => {
    expect(readUrls(' https://a.example/1.png \n\nhttp://b.example/2')).toEqual({
      urls: ['https://a.example/1.png', 'http://b.example/2'],
      wrong: null,
    });
  });
  it('are refused with their line when they are no addresses', () => {
    expect(readUrls('https://a.example/1\nftp://b.example/2').wrong?.line).toBe(2);
    expect(readUrls('https://a b').wrong?.line).toBe(1);
    expect(readUrls('https://').wrong?.line).toBe(1);
  });
});

describe('a manifest that is typed in', () => {
  it('passes with a reference and one content on each line', () => {
    expect(checkManifest('{"ref":"a","text":"It howls."}\n\n{"ref":"b","url":"https://x.example/b"}\n')).toBeNull();
  });
  it('is refused with the line and the reason', () => {
    const wrong = (text: string) => checkManifest(text);
    expect(wrong('{"ref":"a","text":"x"}\n{"ref":')?.line).toBe(2);
    expect(wrong('[1]')?.message).toMatch(/object/);
    expect(wrong('{"text":"x"}')?.message).toMatch(/ref/);
    expect(wrong('{"ref":"a"}')?.message).toMatch(/exactly one/);
    expect(wrong('{"ref":"a","text":"x","url":"https://x.example"}')?.message).toMatch(/exactly one/);
    expect(wrong('  \n')?.line).toBeNull();
  });
});

describe('a folder and a bucket', () => {
  it('want a whole path', () => {
    expect(checkFolder('/data/photos')).toBeNull();
    expect(checkFolder('photos')).not.toBeNull();
  });
  it('want s3://bucket and a whole key or none', () => {
    expect(checkS3({ ...NO_S3, url: 's3://bucket/photos/' })).toBeNull();
    expect(checkS3({ ...NO_S3, url: 'https://bucket' })?.message).toMatch(/s3:/);
    expect(checkS3({ ...NO_S3, url: 's3://bucket', access_key_id: 'A' })?.message).toMatch(/neither/);
    expect(checkS3({ ...NO_S3, url: 's3://bucket', endpoint: 'minio:9000' })).not.toBeNull();
  });
  it('are told without what was left empty', () => {
    expect(s3Source({ ...NO_S3, url: ' s3://bucket ', region: 'eu-west-1' })).toEqual({
      type: 's3',
      url: 's3://bucket',
      region: 'eu-west-1',
    });
  });
});
